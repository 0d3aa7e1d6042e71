//! Runs one target: `fuzz TARGET FILE...` tries the inputs in these files, which is how a finding is looked at again.
//! Built by `run`, with coverage and with libFuzzer's own `main`, it looks for inputs itself; `FUZZ_TARGET` names the
//! target then.

#![expect(unexpected_cfgs, reason = "`run` sets `fuzzing`; nothing else may")]
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
mod guided {
    use std::sync::OnceLock;

    static TARGET: OnceLock<fuzz::Target> = OnceLock::new();

    libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
        let target = TARGET.get_or_init(|| {
            let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
            fuzz::find(&name).unwrap_or_else(|| panic!("FUZZ_TARGET names no target: `{name}`"))
        });
        (target.run)(bytes);
    });
}

#[cfg(not(fuzzing))]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let Some(target) = fuzz::find(&name) else {
        let names: Vec<_> = fuzz::TARGETS.iter().map(|target| target.name).collect();
        return Err(format!("usage: fuzz TARGET FILE...\ntargets: {}", names.join(" ")).into());
    };
    for file in arguments {
        (target.run)(&std::fs::read(file)?);
    }
    Ok(())
}
