//! The benchmark itself, briefly and without the gate: every part starts, takes its turns and ends.

use std::path::Path;
use std::process::Command;

#[test]
fn a_short_run_measures_and_keeps_its_report() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench");
    let output = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(["run", "--without-gate", "--rounds", "1", "--seconds", "0.2", "--starts", "1", "--sizes", "1024"])
        .args(["--warmup-seconds", "0.1", "--connections", "4", "--name", "short"])
        .args([Path::new("--directory"), &directory, Path::new("--results"), &directory])
        .output()
        .expect("the benchmark starts");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("1.00x"), "{told}");
    let report = std::fs::read(directory.join("short.json")).expect("a report is kept");
    let report: serde_json::Value = serde_json::from_slice(&report).expect("the report is JSON");
    assert_eq!(report["contestants"][1]["name"], "bare");
    assert_eq!(report["contestants"][1]["sizes"][0]["fastest"].as_array().map(Vec::len), Some(1));
}
