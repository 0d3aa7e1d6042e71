//! The gate's own log: to standard error, for people on a terminal, as JSON elsewhere. It never holds arguments, answers,
//! tokens or headers; those who look for what happened read the receipts.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Starts logging; `PORTCULLIS_LOG` filters, `info` by default.
pub(crate) fn start() {
    let filter = EnvFilter::try_from_env("PORTCULLIS_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    if std::io::stderr().is_terminal() {
        log.compact().init();
    } else {
        log.json().flatten_event(true).init();
    }
}
