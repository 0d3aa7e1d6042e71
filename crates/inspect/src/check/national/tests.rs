use super::*;

/// A number of each plan that its country or its registry gives as an example, or that was made by its rule.
const NUMBERS: &[(National, &str)] = &[
    (National::UsSsn, "308-63-0237"),
    (National::GbNhs, "943 476 5919"),
    (National::DeSteuerId, "86095742719"),
    (National::EsDni, "12345678Z"),
    (National::ItCodiceFiscale, "RSSMRA85T10A562S"),
    (National::PlPesel, "44051401359"),
    (National::BrCpf, "529.982.247-25"),
    (National::CnResident, "11010519491231002X"),
    (National::SgNric, "S1234567D"),
    (National::ChAhv, "756.9217.0769.85"),
    (National::FiHetu, "131052-308T"),
    (National::ZaId, "8001015009087"),
    (National::HrOib, "94577403194"),
];

#[test]
fn a_number_of_a_plan_passes_and_its_neighbour_does_not() {
    for (plan, number) in NUMBERS {
        assert!(plan.passes(number), "{plan:?} refuses `{number}`");
        let at = number.rfind(|letter: char| letter.is_ascii_digit()).unwrap();
        let mut wrong = (*number).to_owned();
        let digit = number.get(at..=at).unwrap().parse::<u32>().unwrap();
        wrong.replace_range(at..=at, &((digit + 1) % 10).to_string());
        assert!(*plan == National::UsSsn || !plan.passes(&wrong), "{plan:?} takes `{wrong}`");
    }
}

#[test]
fn text_of_any_kind_is_no_reason_to_fall_over() {
    for plan in NUMBERS.iter().map(|(plan, _)| plan) {
        for text in ["", "a", "1", "é", "00000000000", "ZZZZZZZZZZZZZZZZZZ", "99999999999999999999"] {
            let _ = plan.passes(text);
        }
    }
}
