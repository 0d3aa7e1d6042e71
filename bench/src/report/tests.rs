use super::*;
use crate::load::Watched;

fn contestant(name: &'static str, cpu: f64, latency: f64) -> Contestant {
    let turn = Measured {
        seconds: 3.0,
        calls: 60_000,
        p50_microseconds: latency,
        p99_microseconds: latency * 10.0,
        watched: Some(Watched { cpu_microseconds_per_call: cpu, cores: 0.5, resident_bytes: 123 << 20 }),
    };
    let sizes = [1024, 16 * 1024, 256 * 1024].map(|bytes| Size {
        bytes,
        fastest: vec![turn.clone(); 3],
        half_load_calls_per_second: Some(12_345.0),
        half_load: vec![turn.clone(); 3],
    });
    Contestant { sizes: sizes.into(), ..Contestant::new(name, vec![Duration::from_millis(250); 3]) }
}

fn report() -> Report {
    Report {
        format: 1,
        taken_at_unix_seconds: 0,
        machine: Machine {
            processor: "A Processor".to_owned(),
            cores: 2,
            memory_bytes: 1 << 33,
            kernel: "6.18".to_owned(),
            load_before: Some(0.0),
        },
        rounds: 3,
        seconds: 3.0,
        connections: 64,
        flush: Flush::of(vec![Duration::from_micros(1_200); 100]),
        contestants: vec![
            contestant("direct", 12.0, 100.0),
            contestant("bare", 20.0, 180.0),
            contestant("gate, 0 read arguments", 46.0, 1_600.0),
            contestant("gate, 10 read arguments", 4_446.0, 91_600.0),
        ],
    }
}

#[test]
fn the_table_fits_into_eighty_columns() {
    for line in table(&report()).lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn cpu_is_told_as_a_ratio_to_the_bare_proxy() {
    let table = table(&report());
    assert!(table.contains("46.0  2.30x"), "{table}");
}

#[test]
fn added_latency_is_told_with_and_without_one_flush() {
    let table = table(&report());
    assert!(table.contains("1500 / 15000"), "{table}");
    assert!(table.contains(" 300 "), "{table}");
}

#[test]
fn the_median_of_an_even_number_of_values_is_between_the_middle_two() {
    assert!((median([4.0, 1.0, 3.0, 2.0].into_iter()) - 2.5).abs() < 1e-9);
    assert!(median(std::iter::empty()).is_nan());
}

#[test]
fn half_load_is_half_of_the_slowest() {
    let mut slow = contestant("slow", 1.0, 1.0);
    for size in &mut slow.sizes {
        for turn in &mut size.fastest {
            turn.calls = 30_000;
        }
    }
    assert!((half_load(&[contestant("fast", 1.0, 1.0), slow], 0) - 5_000.0).abs() < 1e-6);
}
