use std::sync::Arc;

use super::*;

const OWN: &str = "[[inspection.callout]]\nname = \"own\"\nurl = \"https://dlp.example/inspect\"\nfails = \"closed\"\n";
const EXPERIMENT: &str = "[inspection]\nexperimental_interceptors = true\n";

/// Settings that end with this: the detectors, or what is wrong.
fn read(text: &str) -> Result<Callouts, String> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("portcullis.toml");
    let settings =
        "[agents]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[data]\ndirectory = \"data\"\n";
    std::fs::write(&file, format!("{settings}{text}")).unwrap();
    let egress = Client::new(Arc::new(egress::SystemResolver), egress::Trust::Platform);
    let told = |error: String| error.replace(&directory.path().display().to_string(), "");
    let loaded = Loaded::read(&file).map_err(|error| told(format!("{error:#}")))?;
    loaded.callouts(&egress).map_err(|mistake| told(mistake.to_string()))
}

#[test]
fn a_detector_is_as_settings_say_and_careful_where_they_do_not() {
    let all = read(OWN).unwrap();
    let (own, alone) = all.all().next().unwrap();
    assert!(alone.is_none());
    assert_eq!((own.name.as_str(), own.sends, own.fails), ("own", Sends::Redacted, Fails::Closed));
    assert_eq!(own.about.actions, BTreeSet::from([Action::Call, Action::Release, Action::Ask]));
    assert_eq!(
        (own.patience, own.questions),
        (Duration::from_millis(limits::CALLOUT_MILLISECONDS), limits::CALLOUT_QUESTIONS)
    );
    let more = "about = [\"call\"]\nservers = [\"desk\"]\nsends = \"whole\"\nmilliseconds = 5000\nat_once = 64\n";
    let all = read(&format!("{}{more}", OWN.replace("closed", "open"))).unwrap();
    let (own, _) = all.all().next().unwrap();
    assert_eq!((own.sends, own.fails, own.questions), (Sends::Whole, Fails::Open, 64));
    assert_eq!((own.about.actions.len(), own.about.servers.len()), (1, 1));
    let near = OWN.replace("https://dlp.example", "http://127.0.0.1:9") + "networks = [\"127.0.0.0/8\"]\n";
    assert!(read(&near).is_ok());
}

#[test]
fn interceptors_are_asked_where_settings_try_them_out() {
    let house = "[inspection.callout.interceptors]\nvalidators = [\"no-names\"]\nmutators = [\"scrub\"]\n";
    let all = read(&format!("{EXPERIMENT}{OWN}sends = \"whole\"\n{house}")).unwrap();
    let (own, _) = all.all().next().unwrap();
    let (validators, mutators) = (vec!["no-names".to_owned()], vec!["scrub".to_owned()]);
    assert_eq!(own.speaks, Speaks::Interceptors { validators, mutators });
}

#[test]
fn what_is_wrong_is_told_at_its_place() {
    let with = |more: &str| format!("{OWN}{more}\n");
    let url = |url: &str| OWN.replace("https://dlp.example/inspect", url);
    let house = |names: &str| format!("{EXPERIMENT}{OWN}interceptors = {{ {names} }}\n");
    let many: Vec<String> = (0..17).map(|number| format!("\"v{number}\"")).collect();
    for (text, line, words) in [
        (OWN.replace("own", "Own One"), 8, "`Own One` is no name of a detector"),
        (OWN.replace("\"own\"", "\"a.b\""), 8, "`a.b` is no name of a detector"),
        (format!("{OWN}{OWN}"), 12, "there is a detector `own` already"),
        (url("http://dlp.example/inspect"), 9, "cannot be asked"),
        (url("https://user:word@dlp.example/"), 9, "cannot be asked"),
        (url("ftp://dlp.example/"), 9, "cannot be asked"),
        (url("inspect"), 9, "cannot be asked"),
        (url("http://127.0.0.1:9/"), 9, "cannot be asked"),
        (with("milliseconds = 0"), 11, "`0` is not between 1 and 5000"),
        (with("milliseconds = 5001"), 11, "`5001` is not between 1 and 5000"),
        (with("at_once = 65"), 11, "`65` is not between 1 and 64"),
        (with("token = \"file:none\""), 11, "none"),
        (with("about = [\"listing\"]"), 11, "listing"),
        (with("sends = \"half\""), 11, "half"),
        (with("networks = [\"10.0.0.0/33\"]"), 11, "invalid"),
        (with("servers = [\"No Server\"]"), 11, "name"),
        (with("colour = \"red\""), 11, "colour"),
        (OWN.replace("fails = \"closed\"", "fails = \"maybe\""), 10, "maybe"),
        (OWN.replace("fails = \"closed\"\n", ""), 7, "fails"),
        (with("interceptors = { validators = [\"a\"] }"), 11, "SEP-2624"),
        (house(""), 13, "there are 0 interceptors; 1 to 16 are asked"),
        (house(&format!("validators = [{}]", many.join(","))), 13, "there are 17 interceptors"),
        (house("validators = [\"No Name\"]"), 13, "`No Name` is no name of an interceptor"),
        (house("validators = [\"a\", \"a\"]"), 13, "`a` names something else already"),
        (house("validators = [\"failed\"]"), 13, "`failed` names something else already"),
        (house("mutators = [\"scrub\"]"), 13, "a mutator has to see the message"),
        (house("observers = [\"a\"]"), 13, "observers"),
    ] {
        let told = read(&text).err().unwrap_or_default();
        assert!(told.contains(words) && told.contains(&format!("portcullis.toml:{line}:")), "{text}: {told}");
    }
    let nine: String = (0..9).map(|number| OWN.replace("own", &format!("own{number}"))).collect();
    assert!(read(&nine).err().unwrap().contains("there are 9 detectors; at most 8 are asked"));
}
