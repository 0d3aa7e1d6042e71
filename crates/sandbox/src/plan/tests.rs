use model::Secret;

use super::*;
use crate::Supervisor;

fn command() -> Command {
    Command {
        supervisor: Supervisor::this_program(&["sandbox-init"]),
        program: "server".into(),
        arguments: vec!["--read".into(), String::new(), "a b".into()],
        directory: None,
        environment: vec![
            ("HOME".into(), Value::Plain("/nowhere".into())),
            ("TOKEN".into(), Value::Secret(Secret::new("s3cret=".into()))),
        ],
        limits: Limits { cpu_seconds: Some(7), ..Limits::default() },
    }
}

fn encoded(command: &Command) -> Result<Zeroizing<Vec<u8>>, SpawnError> {
    encode(command, Path::new("/bin/server"), Path::new("/srv"))
}

#[test]
fn a_plan_is_read_as_it_was_written() {
    let plan = decode(&encoded(&command()).unwrap()).unwrap();
    let limits = Limits { cpu_seconds: Some(7), ..Limits::default() };
    let environment = vec![("HOME".into(), "/nowhere".into()), ("TOKEN".into(), "s3cret=".into())];
    let arguments = vec!["--read".into(), "".into(), "a b".into()];
    let expected = Plan { program: "/bin/server".into(), arguments, directory: "/srv".into(), environment, limits };
    assert_eq!(plan, expected);
}

#[test]
fn no_limit_of_processor_time_stays_none() {
    let command = Command { limits: Limits::default(), ..command() };
    assert_eq!(decode(&encoded(&command).unwrap()).unwrap().limits, Limits::default());
}

#[test]
fn a_plan_cut_anywhere_is_none() {
    let bytes = encoded(&command()).unwrap();
    for length in 0..bytes.len() {
        assert_eq!(decode(&bytes[..length]), None, "{length} bytes");
    }
    assert_eq!(decode(&[&bytes[..], &[0]].concat()), None);
    assert_eq!(decode(&[0xff; 64]), None);
}

#[test]
fn the_buffer_of_a_plan_never_grows() {
    let bytes = encoded(&command()).unwrap();
    assert!(bytes.len() < REST_BYTES && bytes.capacity() < PLAN_BYTES_MAX);
}

#[test]
fn what_no_program_can_be_given_is_refused() {
    let with = |name: &str, value: &str| {
        encoded(&Command { environment: vec![(name.into(), Value::Plain(value.into()))], ..command() })
    };
    for (name, value) in [("", "x"), ("A=B", "x"), ("A\0", "x"), ("A", "x\0y")] {
        assert!(matches!(with(name, value), Err(SpawnError::Variable(_))), "{name:?} {value:?}");
    }
    let nul = encoded(&Command { arguments: vec!["fine".into(), "a\0b".into()], ..command() });
    assert!(matches!(nul, Err(SpawnError::Argument(2))));
    let long = encoded(&Command { arguments: vec!["a".repeat(LOCAL_PLAN_BYTES_MAX)], ..command() });
    assert!(matches!(long, Err(SpawnError::TooLarge { .. })));
}

#[test]
fn an_error_repeats_no_value() {
    let error = encoded(&Command { environment: vec![("KEY".into(), Value::Plain("pass\0word".into()))], ..command() });
    let text = format!("{:?}", error.unwrap_err());
    assert!(text.contains("KEY") && !text.contains("pass"), "{text}");
}
