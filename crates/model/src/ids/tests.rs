use super::*;

#[test]
fn a_label_is_short_lower_case_and_plain() {
    for good in ["crm", "erp-2", "0"] {
        assert!(good.parse::<ServerName>().is_ok(), "{good}");
    }
    for bad in ["", "-crm", "CRM", "a/b", "a.b", "a b", &"x".repeat(64)] {
        assert!(bad.parse::<ServerName>().is_err(), "{bad}");
    }
}

#[test]
fn a_refused_name_is_echoed_without_control_characters() {
    let error = "a\u{1b}[31mred".parse::<ServerName>().unwrap_err().to_string();
    assert!(!error.contains('\u{1b}'), "{error}");
}

#[test]
fn a_receipt_id_reads_back_as_written() {
    let id = ReceiptId::new(1_790_000_000_000, 0x0123_4567_89ab_cdef_0123);
    let text = id.to_string();
    assert_eq!(text.len(), 26);
    assert_eq!(text.parse::<ReceiptId>().unwrap(), id);
    assert_eq!(text.to_lowercase().parse::<ReceiptId>().unwrap(), id);
    assert_eq!(id.milliseconds(), 1_790_000_000_000);
}

#[test]
fn receipt_ids_sort_by_time() {
    let earlier = ReceiptId::new(1, u128::MAX);
    let later = ReceiptId::new(2, 0);
    assert!(earlier < later);
    assert!(earlier.to_string() < later.to_string());
}

#[test]
fn a_receipt_id_of_more_than_128_bits_is_refused() {
    assert!("8ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse::<ReceiptId>().is_err());
    assert!("7ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse::<ReceiptId>().is_ok());
}
