use super::*;

#[test]
fn costs_are_a_functions_own_and_names_stand_where_they_come_first() {
    let profile = "events: Ir\n\nob=(1) gate\nfl=(1) a.rs\nfn=(1) main\n10 5\n+2 7\ncfn=(2) sha256_block_data_order_avx\n\
                   calls=3 20\n+1 600\n\nfn=(2)\n20 500\n* 40\ncfn=(3) helper\ncalls=1 30\n+1 60\n\n\
                   fn=(3)\n30 60\n\nfn=(2)\n-4 1\n\ntotals: 613\n";
    assert_eq!(Counted::read(profile), Some(Counted { all: 613, sha256: 541 }));
    assert_eq!(Counted::read("fn=(1) main\n10 5\n"), None, "a profile that was cut off");
}
