//! A watched jail, and a program that tries things: all of it is told, and nothing gets out. Where no jail can be made these say so.

use std::io::Write as _;
use std::path::Path;

use sandbox::{Cell, Jail, Note, RELAY_PORT, Watched, spawn};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixListener;

use crate::scene::script;

/// Runs some steps and a script in a watched jail: what was told, and what it wrote.
async fn watched(steps: &[&str], text: &str) -> Option<(Vec<Note>, String)> {
    let jail = match Jail::find() {
        Ok(jail) => jail,
        Err(missing) => {
            let _ = writeln!(std::io::stderr(), "no jail was tried: {missing}");
            return None;
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let (notes, proxy) = (folder.path().join(sandbox::NOTES), folder.path().join(sandbox::PROXY));
    let (notes, proxy) = (UnixListener::bind(notes).unwrap(), UnixListener::bind(proxy).unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = proxy.accept().await {
            let mut asked = [0; 7];
            stream.read_exact(&mut asked).await.unwrap();
            stream.write_all(b"HTTP/1.1 403 no\r\n\r\n").await.unwrap();
        }
    });
    let heard = tokio::spawn(async move {
        let (stream, _) = notes.accept().await.unwrap();
        drop(notes);
        let mut lines = BufReader::new(stream).lines();
        let mut heard = Vec::new();
        while let Ok(Some(line)) = lines.next_line().await {
            heard.push(Note::parse(&line).unwrap());
        }
        heard
    });
    let steps = steps.iter().map(|step| (*step).to_owned()).collect();
    let watched = Some(Watched { outside: folder.path().to_owned(), steps });
    let mut command = script(text);
    command.environment.push(("HOME".to_owned(), sandbox::Value::Plain(sandbox::JAIL_HOME.to_owned())));
    let mut child = spawn(&jail.around(command, &Cell { watched, ..Cell::default() }).unwrap()).await.unwrap();
    let mut said = String::new();
    child.stdout().unwrap().read_to_string(&mut said).await.unwrap();
    let exit = child.wait().await;
    assert!(exit.all_gone, "{exit}");
    let stderr = child.stderr().tail();
    assert!(!stderr.to_string().contains("could not be shut"), "{stderr}");
    Some((heard.await.unwrap(), said))
}

fn has(notes: &[Note], wanted: impl Fn(&Note) -> bool) -> bool {
    notes.iter().any(wanted)
}

#[tokio::test]
async fn what_is_started_and_connected_to_is_told_and_leads_nowhere() {
    let tries = "exec 2>/dev/null; python3 - <<'P'\nimport socket, urllib.request\n\
        for to in [('192.0.2.7', 4444), ('evil.example', 8443)]:\n    try: socket.create_connection(to, 2)\n    \
        except OSError as why: print('no', to[0])\n\
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ntry: s.sendto(b'x', ('198.51.100.9', 5353))\n\
        except OSError: pass\n\
        try: socket.socket(socket.AF_UNIX).connect('/run/docker.sock')\nexcept OSError: pass\nP\n\
        grep CapEff /proc/self/status; unshare -U true || echo no namespace";
    let Some((notes, said)) = watched(&["mkdir ~/made; exit 7", "test -d ~/made"], tries).await else { return };
    assert!(!has(&notes, |note| matches!(note, Note::Blind(_))), "{notes:?}");
    assert_eq!(notes.first(), Some(&Note::Ready));
    for reached in ["192.0.2.7:4444", "evil.example:8443", "198.51.100.9:5353", "unix:/run/docker.sock"] {
        assert!(notes.contains(&Note::Reach(reached.to_owned())), "{reached}: {notes:?}");
    }
    assert!(notes.contains(&Note::Name("evil.example".to_owned())), "{notes:?}");
    assert!(notes.contains(&Note::Step(0, Some(7))) && notes.contains(&Note::Step(1, Some(0))), "{notes:?}");
    let ran = |words: &str| has(&notes, |note| matches!(note, Note::Run(all) if all.join(" ").ends_with(words)));
    assert!(ran("mkdir /home/user/made") && ran("python3 -"), "{notes:?}");
    let said: Vec<_> = said.lines().collect();
    assert_eq!(said, ["no 192.0.2.7", "no evil.example", "CapEff:\t0000000000000000", "no namespace"]);
}

#[tokio::test]
async fn the_one_way_out_leads_to_whoever_listens_there() {
    let asks = format!(
        "exec 3<>/dev/tcp/127.0.0.1/{RELAY_PORT}; printf 'CONNECT' >&3; head -c 16 <&3; \
         echo x >/run/outside/left 2>/dev/null && echo wrote; exit 0"
    );
    let Some((notes, said)) = watched(&[], &format!("exec bash -c {asks:?}")).await else { return };
    assert!(said.starts_with("HTTP/1.1 403 no"), "{said}");
    assert!(!said.contains("wrote"), "{said}");
    assert!(!has(&notes, |note| matches!(note, Note::Reach(_))), "the way out is none of what is told: {notes:?}");
}

#[tokio::test]
async fn nobody_within_tells_anything_in_the_jail_s_name() {
    let lies = "python3 -c \"import socket; s = socket.socket(socket.AF_UNIX); s.connect('/run/outside/notes'); \
        s.sendall(b'name\\tinnocent.example\\n'); print('told')\" 2>/dev/null || echo nobody";
    let Some((notes, said)) = watched(&[], lies).await else { return };
    assert_eq!(said, "nobody\n");
    assert!(!notes.contains(&Note::Name("innocent.example".to_owned())), "{notes:?}");
    assert!(Path::new("/usr/bin/bwrap").exists());
}
