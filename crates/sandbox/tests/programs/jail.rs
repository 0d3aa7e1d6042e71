//! A program in a jail that tries everything. Where no jail can be made these say so, and show that nothing is run.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;

use sandbox::{Cause, Cell, Command, End, Jail, NoJail, spawn};
use tokio::io::AsyncReadExt as _;

use crate::scene::{FIXTURE, MULTIPLY, all_end, command, line, output, script};

/// The command within a jail; none where `bubblewrap` is not installed.
fn jailed(command: Command, cell: &Cell) -> Option<Command> {
    match Jail::find() {
        Ok(jail) => Some(jail.around(command, cell).unwrap()),
        Err(missing) => {
            assert_eq!(missing, NoJail::Missing);
            assert!(missing.to_string().contains("install the package `bubblewrap`"));
            let _ = writeln!(std::io::stderr(), "no jail was tried: {missing}");
            None
        }
    }
}

async fn says(text: &str, cell: &Cell) -> Option<String> {
    let mut script = script(text);
    script.environment.push(("HOME".to_owned(), sandbox::Value::Plain(sandbox::JAIL_HOME.to_owned())));
    Some(output(&jailed(script, cell)?).await)
}

#[tokio::test]
async fn nothing_of_the_host_is_there_to_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    fs::write(&secret, "the secret").unwrap();
    let tries = format!(
        "cat {} /etc/shadow /root/.bashrc /proc/1/environ 2>/dev/null; ls -A ~ /tmp /root /home/user/.ssh 2>/dev/null; \
         cat /proc/*/cmdline | tr '\\0' ' ' | grep -c '[s]andbox-init'; id -u; grep CapEff /proc/self/status",
        secret.display()
    );
    let Some(said) = says(&tries, &Cell::default()).await else { return };
    assert!(!said.contains("secret") && !said.contains("root"), "{said}");
    assert!(said.ends_with("0\n1000\nCapEff:\t0000000000000000\n"), "{said}");
    let cell = Cell { reads: vec![folder.path().to_owned()], ..Cell::default() };
    let said = says(&format!("cat {0}; echo x >{0} || echo no", secret.display()), &cell).await.unwrap();
    assert_eq!(said, "the secretno\n", "what it is given it may read, and not write");
    let found = Cell { finds: vec![(secret.clone(), Path::new("/home/user/.ssh/key").to_owned())], ..Cell::default() };
    assert_eq!(says("cat ~/.ssh/key; rm ~/.ssh/key || echo no", &found).await.unwrap(), "the secretno\n");
}

#[tokio::test]
async fn nobody_is_there_to_be_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let tries = format!(
        "(exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null && echo reached; \
         (exec 3<>/dev/tcp/192.0.2.1/80) 2>/dev/null && echo reached; \
         (exec 3<>/dev/udp/192.0.2.1/53 && echo x >&3) 2>/dev/null && echo reached; \
         grep -vc 'lo:' /proc/net/dev; getent hosts example.com; echo done"
    );
    let bash = command("bash", &["-c", &tries]);
    let Some(bash) = jailed(bash, &Cell::default()) else { return };
    // Two lines of headings, and no interface but the one that leads to itself.
    assert_eq!(output(&bash).await, "2\ndone\n");
    assert!(listener.accept().is_err(), "nobody came");
}

#[tokio::test]
async fn there_is_only_so_much_room() {
    let tries = "for place in / /etc /usr /dev /run; do (echo x >$place/x) 2>/dev/null && echo $place; done; \
                 for place in /tmp ~ /dev/shm; do head -c 400000000 /dev/zero >$place/a 2>/dev/null; wc -c <$place/a; done";
    let Some(said) = says(tries, &Cell::default()).await else { return };
    let sizes: Vec<u64> = said.lines().map(|line| line.parse().unwrap_or_else(|_| panic!("{said}"))).collect();
    assert!(sizes.len() == 3 && sizes.iter().all(|size| *size <= model::limits::JAIL_ROOM_BYTES), "{said}");
    let folder = tempfile::tempdir().unwrap();
    let cell = Cell { writes: vec![folder.path().to_owned()], ..Cell::default() };
    says(&format!("echo kept >{}/file", folder.path().display()), &cell).await.unwrap();
    assert_eq!(fs::read_to_string(folder.path().join("file")).unwrap(), "kept\n");
}

#[tokio::test]
async fn ways_out_are_not_there() {
    let tries = "unshare -U true 2>/dev/null && echo namespace; unshare -m true 2>/dev/null && echo mounts; \
                 mount -t tmpfs x /tmp 2>/dev/null && echo mount; chroot / true 2>/dev/null && echo root; \
                 kill -9 1 2>/dev/null; grep -E 'NoNewPrivs|Seccomp:' /proc/self/status";
    let Some(said) = says(tries, &Cell::default()).await else { return };
    assert_eq!(said, "NoNewPrivs:\t1\nSeccomp:\t2\n");
}

#[tokio::test]
async fn limits_bind_within_too_and_nobody_is_left() {
    let mut bomb = script(MULTIPLY);
    bomb.limits.processes = 40;
    let Some(bomb) = jailed(bomb, &Cell::default()) else { return };
    let mut child = spawn(&bomb).await.unwrap();
    let exit = child.wait().await;
    assert!(matches!(exit.cause, Cause::Processes { .. }) && exit.all_gone, "{exit}");
    let mut rest = String::new();
    child.stdout().unwrap().read_to_string(&mut rest).await.unwrap();

    let fixture = Path::new(FIXTURE).to_owned();
    let mut many = command(FIXTURE, &["start-threads-until-refused", "1000"]);
    many.limits.processes = 40;
    let many = jailed(many, &Cell { reads: vec![fixture.clone()], ..Cell::default() }).unwrap();
    let mut child = spawn(&many).await.unwrap();
    let count: u64 = line(&mut child).await.parse().unwrap();
    // Root's own number of processes is bounded by control groups alone, which cannot be made everywhere.
    assert!(
        count <= 40 + model::limits::LOCAL_PROCESSES_MARGIN || rustix::process::geteuid().is_root(),
        "{count} were born"
    );
    let exit = child.wait().await;
    assert!(matches!(exit.cause, Cause::Processes { .. }), "{exit}");

    let mut greedy = command(FIXTURE, &["use-memory", "400"]);
    greedy.limits.memory_bytes = 100 << 20;
    let greedy = jailed(greedy, &Cell { reads: vec![fixture], ..Cell::default() }).unwrap();
    let exit = spawn(&greedy).await.unwrap().wait().await;
    assert!(exit.end != End::Status(0) && exit.all_gone, "{exit}");

    let stays = jailed(script("(setsid sleep 300 &) ; setsid sleep 300 & echo here; exec sleep 300"), &Cell::default())
        .unwrap();
    let mut child = spawn(&stays).await.unwrap();
    assert_eq!(line(&mut child).await, "here");
    let pid = child.id().to_string();
    child.kill();
    assert!(child.wait().await.all_gone);
    all_end(&pid).await;
}

#[tokio::test]
async fn what_cannot_be_shut_is_not_entered() {
    let Some(_) = jailed(script("true"), &Cell::default()) else { return };
    let cell = Cell { reads: vec![Path::new("/nowhere-at-all").to_owned()], ..Cell::default() };
    let refused = jailed(script("echo entered"), &cell).unwrap();
    let mut child = spawn(&refused).await.unwrap();
    let mut text = String::new();
    child.stdout().unwrap().read_to_string(&mut text).await.unwrap();
    assert!(text.is_empty() && child.wait().await.end != End::Status(0), "{text}");
}
