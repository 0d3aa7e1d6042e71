//! A local server that looks around before it serves: for keys and the gate's own token, for somebody to send them to, for a
//! place to leave something. Without a jail it finds all of that; within one, nothing.
//!
//! Three walls stand one within the other, and what the outermost holds shows nothing of the others. So each of the inner two is
//! tried at what it holds alone: Landlock where a mount lets through what is written, the filter where a call asks the kernel.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use tempfile::TempDir;

use crate::client::eventually;
use crate::gate::Setup;
use crate::local::{Ground, Yard, report};
use crate::verdict::passes;

/// What it tries, and writes down where the test meets it: `$1` is that place, `$2` the gate's directory, `$3` a port.
const TRIES: &str = "cat $2/data/admin.token >>$1/found 2>/dev/null; cat $2/secrets/* >>$1/found 2>/dev/null; \
    (exec 3<>/dev/tcp/127.0.0.1/$3) 2>/dev/null && echo reached >>$1/found; \
    echo left >$2/left-behind; ls /proc | grep -cE '^[0-9]+$' >$1/processes; ";

/// Hands something to whoever listens at a pipe: `$4` is where. A pipe takes what is written to it on a mount that is read-only, too.
const HANDS_OVER: &str = "(echo over >$4/pipe) 2>>$1/refused; ";

/// Opens the memory of the process that made the jail, which the filter of system calls does not bind.
const REACHES_IN: &str = "(exec 3<>/proc/1/mem) 2>>$1/refused && echo 'reached in' >>$1/found; ";

/// Reads a key of the gate's session, which no namespace keeps from whoever descends from it.
const TAKES_KEY: &str = "perl -MPOSIX -e '\
    my $keyctl = (POSIX::uname())[4] eq q(x86_64) ? 250 : 219; \
    my ($type, $name, $text) = (q(user), q(portcullis-test), q( ) x 64); \
    my $key = syscall($keyctl, 10, -3, $type, $name, 0); \
    print STDERR $! if $key < 0; \
    print $text if $key > 0 && syscall($keyctl, 11, $key, $text, 64) > 0;\
    ' >>$1/found 2>>$1/refused; ";

/// Gives the gate a session of its own, with a key in it.
const KEYED: &str = r#"exec perl -MPOSIX -e '
    my ($add, $keyctl) = (POSIX::uname())[4] eq "x86_64" ? (248, 250) : (217, 219);
    my ($type, $name, $text) = ("user", "portcullis-test", "a key of the session");
    syscall($keyctl, 1, 0) > 0 && syscall($add, $type, $name, $text, length $text, -3) > 0 or die "no key: $!";
    exec @ARGV' "$0" "$@""#;

/// A jail as a server's manifest asks for it.
const JAIL: &str = "[command.jail]\nreads = [\"BINARY\", \"POST\"]\nwrites = [\"MEETS\"]\n";

/// What was there to be found.
struct Surroundings {
    yard: Yard,
    listener: TcpListener,
    pipe: File,
    _post: TempDir,
}

/// Has the server try this before it serves.
async fn looks_around(tries: &str, jail: &str, shell: Option<&'static str>) -> Option<Surroundings> {
    if !fs::exists("/usr/bin/bwrap").unwrap() {
        let _ = writeln!(std::io::stderr(), "no jail was tried: `bwrap` is not installed");
        return None;
    }
    let yard = Yard::unapproved(Ground { setup: Setup { shell, ..Setup::default() }, ..Ground::default() }).await;
    let (meets, gate) = (yard.meeting_place().display().to_string(), yard.gate.directory().display().to_string());
    fs::create_dir_all(yard.gate.directory().join("secrets")).unwrap();
    fs::write(yard.gate.directory().join("secrets/key"), "a secret of somebody else").unwrap();
    // Not in `/tmp`: there a jail has a room that it may write.
    let post = tempfile::tempdir_in("/var/tmp").unwrap();
    let made = std::process::Command::new("mkfifo").arg(post.path().join("pipe")).status().unwrap();
    assert!(made.success());
    // Whoever opens it for both waits for nobody, and neither does the server.
    let pipe = File::options().read(true).write(true).open(post.path().join("pipe")).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let binary = env!("CARGO_BIN_EXE_portcullis");
    let place = post.path().display().to_string();
    let jail = jail.replace("MEETS", &meets).replace("BINARY", binary).replace("POST", &place);
    let script = format!("{tries}touch $1/tried; exec $0 sample-server hostile $1");
    let text = format!(
        "name = \"reports\"\nowner = \"ops\"\npurpose = \"Reports\"\n\n[command]\nprogram = \"/bin/bash\"\n\
         arguments = [\"-c\", {script:?}, \"{binary}\", \"{meets}\", \"{gate}\", \"{port}\", \"{place}\"]\n{jail}"
    );
    yard.put("servers/reports.toml", &text).await;
    yard.approve().await;
    passes(&report(&yard.client()).await);
    let tried = yard.meeting_place().join("tried");
    eventually("it looked around", || tried.exists()).await;
    Some(Surroundings { yard, listener, pipe, _post: post })
}

impl Surroundings {
    /// What it found.
    fn found(&self) -> String {
        self.noted("found")
    }

    /// What it was told where it found nothing.
    fn refused(&self) -> String {
        self.noted("refused")
    }

    fn noted(&self, file: &str) -> String {
        fs::read_to_string(self.yard.meeting_place().join(file)).unwrap_or_default()
    }

    /// What came through the pipe first: nothing, if it is what is written into it here.
    fn came_over(&mut self) -> Option<String> {
        self.pipe.write_all(b"nothing\n").unwrap();
        let mut line = String::new();
        BufReader::new(&self.pipe).read_line(&mut line).unwrap();
        Some(line).filter(|line| line != "nothing\n")
    }
}

#[tokio::test]
async fn a_server_in_a_jail_finds_nothing_and_nobody() {
    let Some(around) = looks_around(TRIES, JAIL, None).await else { return };
    let yard = &around.yard;
    assert_eq!(around.found(), "");
    assert!(around.listener.accept().is_err(), "nobody came");
    assert!(!yard.gate.directory().join("left-behind").exists());
    let processes = fs::read_to_string(yard.meeting_place().join("processes")).unwrap();
    assert!(processes.trim().parse::<usize>().unwrap() < 10, "only its own: {processes}");
    let shown = yard.gate.must(&["server", "show", "reports"]).await;
    assert!(shown.contains("no network") && shown.contains("may write"), "{shown}");
}

#[tokio::test]
async fn a_server_in_a_jail_hands_nothing_to_who_listens_where_it_may_only_read() {
    let Some(mut around) = looks_around(HANDS_OVER, JAIL, None).await else { return };
    assert_eq!(around.came_over(), None);
    assert!(around.refused().contains("Permission denied"), "{}", around.refused());
}

#[tokio::test]
async fn a_server_in_a_jail_reaches_into_no_process_that_is_outside_of_the_inner_walls() {
    let Some(around) = looks_around(REACHES_IN, JAIL, None).await else { return };
    assert_eq!(around.found(), "");
    assert!(around.refused().contains("Permission denied"), "{}", around.refused());
}

#[tokio::test]
async fn a_server_in_a_jail_takes_no_key_of_the_gate_s_session() {
    let Some(around) = looks_around(TAKES_KEY, JAIL, Some(KEYED)).await else { return };
    assert_eq!(around.found(), "");
    assert!(around.refused().contains("Operation not permitted"), "{}", around.refused());
}

#[tokio::test]
async fn the_same_server_without_a_jail_finds_all_of_it() {
    let tries = [TRIES, HANDS_OVER, TAKES_KEY].concat();
    let Some(mut around) = looks_around(&tries, "", Some(KEYED)).await else { return };
    let found = around.found();
    for part in ["a secret of somebody else", "reached", "a key of the session"] {
        assert!(found.contains(part), "{part}: {found}");
    }
    assert!(around.listener.accept().is_ok() && around.yard.gate.directory().join("left-behind").exists());
    assert_eq!(around.came_over().as_deref(), Some("over\n"));
}
