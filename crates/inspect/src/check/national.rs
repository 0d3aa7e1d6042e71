//! Checksums of the numbers by which countries know people, and those of a few other registers.
//!
//! Each is its country's own; what the digits are multiplied by and what the sum leaves is told beside each.

use serde::Deserialize;

use super::number::{digits, luhn};

/// A numbering plan with a checksum, or with a date that has to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum National {
    PaymentCard,
    UsSsn,
    UsItin,
    UsNpi,
    UsRouting,
    CaSin,
    GbNhs,
    GbNino,
    DeSteuerId,
    FrNir,
    EsDni,
    ItCodiceFiscale,
    PtNif,
    NlBsn,
    BeNiss,
    PlPesel,
    SePersonnummer,
    NoFodselsnummer,
    DkCpr,
    FiHetu,
    BrCpf,
    BrCnpj,
    CnResident,
    InAadhaar,
    InPan,
    KrRrn,
    TwId,
    HkId,
    SgNric,
    JpMyNumber,
    AuTfn,
    AuMedicare,
    NzIrd,
    ZaId,
    TrTckn,
    RoCnp,
    CzRodneCislo,
    GrAmka,
    BgEgn,
    HrOib,
    BalkanJmbg,
    BalticCode,
    IePps,
    ChAhv,
    AtSvnr,
    IlId,
    ClRut,
    ArCuit,
    MxCurp,
    UaRnokpp,
    ThId,
    MyNric,
    AeId,
    Imei,
}

impl National {
    /// Whether the number is one of the plan.
    pub(crate) fn passes(self, text: &str) -> bool {
        let d: Vec<u32> = digits(text).collect();
        // One digit over and over passes many of these sums.
        if d.len() > 4 && d.iter().all(|digit| d.first() == Some(digit)) {
            return false;
        }
        match self {
            Self::PaymentCard => is_card(text, &d),
            Self::UsSsn => is_ssn(&d),
            Self::UsItin => {
                number(&d, 0..3) >= 900 && matches!(number(&d, 3..5), 50..=65 | 70..=88 | 90..=92 | 94..=99)
            }
            Self::UsNpi => matches!(d.first(), Some(1 | 2)) && luhn(&format!("80840{text}")),
            Self::UsRouting => weighted(&d, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10) && number(&d, 0..2) <= 32,
            Self::CaSin => luhn(text) && !matches!(d.first(), Some(0 | 8)),
            Self::GbNhs => eleven_less(&d, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) == d.last().copied(),
            Self::GbNino => is_nino(text),
            Self::DeSteuerId => d.first() != Some(&0) && iso_7064(&d) && has_few_repeats(&d),
            Self::FrNir => is_nir(text, &d),
            Self::EsDni => is_dni(text),
            Self::ItCodiceFiscale => is_codice_fiscale(text),
            Self::PtNif => nif(&d) == d.last().copied() && matches!(d.first(), Some(1..=3 | 5 | 6 | 8 | 9)),
            Self::NlBsn => weighted_signed(&d, &[9, 8, 7, 6, 5, 4, 3, 2, -1]).rem_euclid(11) == 0,
            Self::BeNiss => is_niss(&d),
            Self::PlPesel => {
                weighted(&d, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).is_multiple_of(10)
                    && is_date(number(&d, 2..4) % 20, number(&d, 4..6))
            }
            Self::SePersonnummer => {
                let short = d.get(d.len().saturating_sub(10)..).unwrap_or_default();
                luhn_of(short) && is_date(number(short, 2..4), number(short, 4..6) % 60)
            }
            Self::NoFodselsnummer => {
                is_date(number(&d, 2..4) % 40, number(&d, 0..2) % 40)
                    && weighted(&d, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]).is_multiple_of(11)
                    && weighted(&d, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
            }
            Self::DkCpr => is_date(number(&d, 2..4), number(&d, 0..2)),
            Self::FiHetu => is_hetu(text, &d),
            Self::BrCpf => falling(&d, 9, 10) && falling(&d, 10, 11),
            Self::BrCnpj => {
                check_of(&d, &[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2])
                    && check_of(&d, &[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2])
            }
            Self::CnResident => is_resident(text, &d),
            Self::InAadhaar => verhoeff(&d) && matches!(d.first(), Some(2..=9)),
            Self::InPan => matches!(
                text.as_bytes().get(3),
                Some(b'P' | b'C' | b'H' | b'F' | b'A' | b'T' | b'B' | b'L' | b'J' | b'G')
            ),
            Self::KrRrn => {
                is_date(number(&d, 2..4), number(&d, 4..6))
                    && (11 - weighted(&d, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11) % 10
                        == d.last().copied().unwrap_or(10)
            }
            Self::TwId => is_lettered(text, &[1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1]),
            Self::HkId => is_hkid(text),
            Self::SgNric => is_nric(text, &d),
            Self::JpMyNumber => my_number(&d) == d.last().copied(),
            Self::AuTfn => weighted(&d, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11),
            Self::AuMedicare => {
                matches!(d.first(), Some(2..=6))
                    && weighted(&d, &[1, 3, 7, 9, 1, 3, 7, 9]) % 10 == d.get(8).copied().unwrap_or(10)
            }
            Self::NzIrd => is_ird(&d),
            Self::ZaId => luhn(text) && is_date(number(&d, 2..4), number(&d, 4..6)) && matches!(d.get(10), Some(0 | 1)),
            Self::TrTckn => is_tckn(&d),
            Self::RoCnp => {
                weighted(&d, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11 % 10 == d.last().copied().unwrap_or(10)
                    && is_date(number(&d, 3..5), number(&d, 5..7))
            }
            Self::CzRodneCislo => whole(&d).is_multiple_of(11) && is_date(number(&d, 2..4) % 50 % 20, number(&d, 4..6)),
            Self::GrAmka => luhn(text) && is_date(number(&d, 2..4), number(&d, 0..2)),
            Self::BgEgn => {
                weighted(&d, &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10 == d.last().copied().unwrap_or(10)
                    && is_date(number(&d, 2..4) % 20, number(&d, 4..6))
            }
            Self::HrOib => iso_7064(&d),
            Self::BalkanJmbg => {
                eleven_less(&d, &[7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) == d.last().copied()
                    && is_date(number(&d, 2..4), number(&d, 0..2))
            }
            Self::BalticCode => is_baltic(&d),
            Self::IePps => is_pps(text, &d),
            Self::ChAhv => number(&d, 0..3) == 756 && ean(&d),
            Self::AtSvnr => is_svnr(&d),
            Self::IlId => luhn(text),
            Self::ClRut => is_rut(text, &d),
            Self::ArCuit => {
                matches!(number(&d, 0..2), 20 | 23 | 24 | 27 | 30 | 33 | 34)
                    && check_of(&d, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2])
            }
            Self::MxCurp => is_curp(text),
            Self::UaRnokpp => {
                let sum = weighted_signed(&d, &[-1, 5, 7, 9, 4, 6, 10, 5, 7]).rem_euclid(11) % 10;
                d.last().is_some_and(|last| i64::from(*last) == sum)
            }
            Self::ThId => {
                (11 - weighted(&d, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 10
                    == d.last().copied().unwrap_or(10)
            }
            Self::MyNric => is_date(number(&d, 2..4), number(&d, 4..6)),
            Self::AeId => number(&d, 0..3) == 784 && luhn(text),
            Self::Imei => luhn(text),
        }
    }
}

/// Issuers' numbers, by the beginning and the lengths that belong to it: those of the world's large networks, and of a
/// few that are large at home.
const BRANDS: &[(u32, u32, &[usize])] = &[
    (4_000, 4_999, &[13, 16, 19]),
    (5_100, 5_599, &[16]),
    (2_221, 2_720, &[16]),
    (3_400, 3_499, &[15]),
    (3_700, 3_799, &[15]),
    (3_000, 3_059, &[14, 16, 19]),
    (3_095, 3_095, &[14, 16, 19]),
    (3_600, 3_699, &[14, 16, 19]),
    (3_800, 3_999, &[14, 16, 19]),
    (6_011, 6_011, &[16, 19]),
    (6_440, 6_599, &[16, 19]),
    (3_528, 3_589, &[16, 19]),
    (6_200, 6_299, &[16, 17, 18, 19]),
    (8_100, 8_171, &[16, 19]),
    (2_200, 2_204, &[16, 17, 18, 19]),
    (6_070, 6_099, &[16]),
    (9_792, 9_792, &[16]),
    (5_060, 5_061, &[16, 19]),
    (5_018, 5_020, &[12, 13, 14, 15, 16, 17, 18, 19]),
    (5_038, 5_038, &[12, 13, 14, 15, 16, 17, 18, 19]),
    (5_893, 5_893, &[12, 13, 14, 15, 16, 17, 18, 19]),
    (6_304, 6_304, &[12, 13, 14, 15, 16, 17, 18, 19]),
    (6_759, 6_763, &[12, 13, 14, 15, 16, 17, 18, 19]),
];

fn is_card(text: &str, d: &[u32]) -> bool {
    let beginning = number(d, 0..4);
    let brand =
        |(from, to, lengths): &(u32, u32, &[usize])| (*from..=*to).contains(&beginning) && lengths.contains(&d.len());
    BRANDS.iter().any(brand) && luhn(text)
}

/// A social security number that can have been issued (SSA, since 2011).
fn is_ssn(d: &[u32]) -> bool {
    let area = number(d, 0..3);
    area != 0 && area != 666 && area < 900 && number(d, 3..5) != 0 && number(d, 5..9) != 0
}

fn is_nino(text: &str) -> bool {
    let plain: String = plain(text);
    let prefix = plain.get(..2).unwrap_or_default();
    let first = prefix.bytes().next().is_some_and(|letter| !b"DFIQUV".contains(&letter));
    let second = prefix.as_bytes().get(1).is_some_and(|letter| !b"DFIQUVO".contains(letter));
    first
        && second
        && !["BG", "GB", "KN", "NK", "NT", "TN", "ZZ"].contains(&prefix)
        && plain.ends_with(['A', 'B', 'C', 'D'])
}

/// In a tax number one digit stands two or three times among the first ten, and one or two are missing.
fn has_few_repeats(d: &[u32]) -> bool {
    let mut first: Vec<u32> = d.iter().take(10).copied().collect();
    first.sort_unstable();
    first.dedup();
    (8..=9).contains(&first.len())
}

fn is_nir(text: &str, d: &[u32]) -> bool {
    // Corsica's departments have a letter.
    let corsica = plain(text)
        .get(5..7)
        .map(|department| match department {
            "2A" => "19",
            "2B" => "18",
            _ => department,
        })
        .map(str::to_owned);
    let plain = plain(text);
    let body: String = plain.get(..5).into_iter().chain(corsica.as_deref()).chain(plain.get(7..13)).collect();
    let key = d.get(d.len().saturating_sub(2)..).map_or(0, |last| number(last, 0..2));
    let month = number(d, 3..5);
    let value: Option<u64> = body.parse().ok();
    matches!(d.first(), Some(1..=4 | 7 | 8))
        && (matches!(month, 1..=12 | 20..=42 | 50..=99))
        && value.is_some_and(|value| 97 - value % 97 == u64::from(key))
}

fn is_dni(text: &str) -> bool {
    const LETTERS: &[u8] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let plain = plain(text);
    let (body, letter) = plain.split_at(plain.len().saturating_sub(1));
    let body = body.replacen('X', "0", 1).replacen('Y', "1", 1).replacen('Z', "2", 1);
    let expected = body.parse::<usize>().ok().and_then(|value| LETTERS.get(value % 23));
    expected.is_some() && letter.as_bytes().first() == expected
}

fn is_codice_fiscale(text: &str) -> bool {
    // What each character counts at odd places; at even places it counts its order.
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let plain = plain(text);
    let order = |byte: u8| if byte.is_ascii_digit() { byte - b'0' } else { byte.saturating_sub(b'A') };
    let sum: u32 = plain
        .bytes()
        .take(15)
        .enumerate()
        .map(|(place, byte)| {
            let order = order(byte);
            if place % 2 == 0 { ODD.get(usize::from(order)).copied().unwrap_or_default() } else { u32::from(order) }
        })
        .sum();
    plain.len() == 16 && plain.bytes().last().is_some_and(|last| u32::from(last.saturating_sub(b'A')) == sum % 26)
}

fn nif(d: &[u32]) -> Option<u32> {
    Some(match 11 - weighted(d, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11 {
        10.. => 0,
        check => check,
    })
}

fn is_niss(d: &[u32]) -> bool {
    let body = d.get(..9).map_or(0, whole);
    let check = u64::from(number(d, 9..11));
    let dated = number(d, 2..4) % 20 <= 12 && number(d, 4..6) <= 31;
    // Who was born since 2000 has a 2 before the number.
    dated && (97 - body % 97 == check || 97 - (2_000_000_000 + body) % 97 == check)
}

fn is_hetu(text: &str, d: &[u32]) -> bool {
    const LETTERS: &[u8] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    let body: u64 = d.get(..9).map_or(0, whole);
    let expected = usize::try_from(body % 31).ok().and_then(|index| LETTERS.get(index));
    is_date(number(d, 2..4), number(d, 0..2))
        && text.bytes().last().map(|last| last.to_ascii_uppercase()).as_ref() == expected
}

fn is_resident(text: &str, d: &[u32]) -> bool {
    const LETTERS: &[u8] = b"10X98765432";
    let sum = weighted(d, &[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
    let expected = usize::try_from(sum % 11).ok().and_then(|index| LETTERS.get(index));
    matches!(number(d, 6..8), 19 | 20)
        && is_date(number(d, 10..12), number(d, 12..14))
        && text.bytes().last().map(|last| last.to_ascii_uppercase()).as_ref() == expected
}

/// A letter that counts two digits, then digits.
fn is_lettered(text: &str, weights: &[u32]) -> bool {
    const ORDER: &str = "ABCDEFGHJKLMNPQRSTUVXYWZIO";
    let plain = plain(text);
    let letter = plain.chars().next().and_then(|letter| ORDER.find(letter)).and_then(|at| u32::try_from(at + 10).ok());
    let Some(letter) = letter else { return false };
    let all: Vec<u32> = [letter / 10, letter % 10].into_iter().chain(digits(&plain)).collect();
    weighted(&all, weights).is_multiple_of(10)
}

fn is_hkid(text: &str) -> bool {
    let plain = plain(text);
    let (body, check) = plain.split_at(plain.len().saturating_sub(1));
    let value = |letter: char| letter.to_digit(36).unwrap_or_default();
    // One letter counts as if a space, which is 36, stood before it.
    let padded = if body.len() == 7 { 36 * 9 } else { 0 };
    let sum: u32 = body.chars().rev().zip(2..).map(|(letter, weight)| value(letter) * weight).sum();
    let check = if check == "A" { 10 } else { check.chars().next().map_or(11, value) };
    (padded + sum + check).is_multiple_of(11)
}

fn is_nric(text: &str, d: &[u32]) -> bool {
    let plain = plain(text);
    let sum = weighted(d, &[2, 7, 6, 5, 4, 3, 2]);
    let (letters, more): (&[u8], u32) = match plain.bytes().next() {
        Some(b'S') => (b"JZIHGFEDCBA", 0),
        Some(b'T') => (b"JZIHGFEDCBA", 4),
        Some(b'F') => (b"XWUTRQPNMLK", 0),
        Some(b'G') => (b"XWUTRQPNMLK", 4),
        Some(b'M') => (b"XWUTRQPNJLK", 3),
        _ => return false,
    };
    let expected = usize::try_from((sum + more) % 11).ok().and_then(|index| letters.get(index));
    plain.as_bytes().last() == expected
}

fn my_number(d: &[u32]) -> Option<u32> {
    let rest = weighted(d, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
    Some(if rest <= 1 { 0 } else { 11 - rest })
}

fn is_ird(d: &[u32]) -> bool {
    let padded: Vec<u32> = std::iter::repeat_n(0, 9_usize.saturating_sub(d.len())).chain(d.iter().copied()).collect();
    let check = |weights: &[u32]| (11 - weighted(&padded, weights) % 11) % 11;
    let first = check(&[3, 2, 7, 6, 5, 4, 3, 2]);
    let check = if first == 10 { check(&[7, 4, 3, 2, 5, 2, 7, 6]) } else { first };
    padded.last() == Some(&check)
}

fn is_tckn(d: &[u32]) -> bool {
    let odd: u32 = d.iter().take(9).step_by(2).sum();
    let even: u32 = d.iter().skip(1).take(8).step_by(2).sum();
    let tenth = (odd * 7 + 90 - even) % 10;
    let eleventh = d.iter().take(10).sum::<u32>() % 10;
    d.first() != Some(&0) && d.get(9) == Some(&tenth) && d.get(10) == Some(&eleventh)
}

fn is_baltic(d: &[u32]) -> bool {
    let first = weighted(d, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
    let second = weighted(d, &[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11;
    let check = if first < 10 { first } else { second % 10 };
    matches!(d.first(), Some(1..=8)) && is_date(number(d, 3..5), number(d, 5..7)) && d.last() == Some(&check)
}

fn is_pps(text: &str, d: &[u32]) -> bool {
    let plain = plain(text);
    let letters: Vec<u32> = plain.bytes().skip(7).map(|byte| u32::from(byte.saturating_sub(b'A')) + 1).collect();
    let second = letters.get(1).copied().filter(|letter| *letter != 23).unwrap_or_default();
    let sum = weighted(d, &[8, 7, 6, 5, 4, 3, 2]) + second * 9;
    letters.first().is_some_and(|letter| letter % 23 == sum % 23)
}

/// The check digit of a European article number.
fn ean(d: &[u32]) -> bool {
    d.iter().rev().zip([1, 3].into_iter().cycle()).map(|(digit, weight)| digit * weight).sum::<u32>().is_multiple_of(10)
}

fn is_svnr(d: &[u32]) -> bool {
    let check = weighted(d, &[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11;
    d.get(3) == Some(&check) && is_date(number(d, 6..8) % 20, number(d, 4..6))
}

fn is_rut(text: &str, d: &[u32]) -> bool {
    let letter = text.ends_with(['K', 'k']);
    let body = if letter { d } else { d.get(..d.len().saturating_sub(1)).unwrap_or_default() };
    let sum: u32 = body.iter().rev().zip((2..=7).cycle()).map(|(digit, weight)| digit * weight).sum();
    match 11 - sum % 11 {
        10 => letter,
        11 => !letter && d.last() == Some(&0),
        check => !letter && d.last() == Some(&check),
    }
}

fn is_curp(text: &str) -> bool {
    const ORDER: &str = "0123456789ABCDEFGHIJKLMN\u{d1}OPQRSTUVWXYZ";
    let plain = plain(text);
    let order = |letter: char| ORDER.chars().position(|known| known == letter).and_then(|at| u32::try_from(at).ok());
    let sum: Option<u32> = plain.chars().take(17).zip((2..=18).rev()).map(|(c, weight)| Some(order(c)? * weight)).sum();
    let check = sum.map(|sum| (10 - sum % 10) % 10);
    check.is_some() && plain.chars().last().and_then(|last| last.to_digit(10)) == check
}

fn plain(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect()
}

/// The sum of the digits, each multiplied by its weight.
fn weighted(d: &[u32], weights: &[u32]) -> u32 {
    d.iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
}

fn weighted_signed(d: &[u32], weights: &[i64]) -> i64 {
    d.iter().zip(weights).map(|(digit, weight)| i64::from(*digit) * weight).sum()
}

/// What is missing to a multiple of eleven; `None` if that is no digit, and nought for eleven.
fn eleven_less(d: &[u32], weights: &[u32]) -> Option<u32> {
    Some((11 - weighted(d, weights) % 11) % 11)
}

/// Whether the digit after as many as there are weights is what their sum asks for, where ten and eleven are nought.
fn check_of(d: &[u32], weights: &[u32]) -> bool {
    let rest = weighted(d, weights) % 11;
    d.get(weights.len()) == Some(&if rest < 2 { 0 } else { 11 - rest })
}

/// The same, with weights that fall from `from` to two.
fn falling(d: &[u32], count: usize, from: u32) -> bool {
    let weights: Vec<u32> = (0..).map(|step| from.saturating_sub(step)).take(count).collect();
    check_of(d, &weights)
}

/// The check digit of ISO 7064, modulo 11 and 10.
fn iso_7064(d: &[u32]) -> bool {
    let Some((last, body)) = d.split_last() else { return false };
    let product = body.iter().fold(10, |product, digit| {
        let sum = (digit + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == *last
}

/// Verhoeff's check, by the group of the pentagon's symmetries.
fn verhoeff(d: &[u32]) -> bool {
    const PERMUTED: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let times = |a: u32, b: u32| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b - 5) % 5 + 5,
        (false, true) => (a - 5 + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    };
    let permute = |digit: u32, count: usize| {
        (0..count % 8).fold(digit, |digit, _| {
            usize::try_from(digit).ok().and_then(|digit| PERMUTED.get(digit)).copied().unwrap_or_default()
        })
    };
    d.iter().rev().enumerate().fold(0, |check, (place, digit)| times(check, permute(*digit, place))) == 0
}

fn luhn_of(d: &[u32]) -> bool {
    luhn(&d.iter().filter_map(|digit| char::from_digit(*digit, 10)).collect::<String>())
}

/// The number that some of the digits are.
fn number(d: &[u32], range: std::ops::Range<usize>) -> u32 {
    d.get(range).unwrap_or_default().iter().fold(0, |value, digit| value * 10 + digit)
}

fn whole(d: &[u32]) -> u64 {
    d.iter().fold(0, |value, digit| value * 10 + u64::from(*digit))
}

fn is_date(month: u32, day: u32) -> bool {
    (1..=12).contains(&month) && (1..=31).contains(&day)
}

#[cfg(test)]
mod tests;
