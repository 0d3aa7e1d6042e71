//! The pages that people see. Plain HTML with one style, no script: whatever a client calls itself, it is text.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, HeaderValue};
use http::{Response, StatusCode};

use super::client::Client;
use super::consent::Asked;
use super::origin_of;
use crate::site::{self, escaped};

/// Where the façade's pages are.
pub(super) const BASE: &str = "/oauth";

/// The style of every page.
pub(crate) fn style() -> Response<Bytes> {
    let mut response = site::document(StatusCode::OK, "text/css; charset=utf-8", STYLE);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    response
}

/// What a browser shows beside a page's title: a gate.
pub(crate) fn icon() -> Response<Bytes> {
    let mut response = site::document(StatusCode::OK, "image/svg+xml", ICON);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    response
}

/// What is asked for, and by whom. Everything that a person needs to say no is above the buttons.
pub(super) fn consent(client: &Client, asked: &Asked, purpose: &str, sealed: &str) -> Response<Bytes> {
    let grant = &asked.grant;
    let mut facts = fact("Application", &client.name);
    if !client.vouched {
        facts.push_str(&fact("Calls itself so, at", &origin_of(&client.id)));
    }
    facts.push_str(&fact_with("Wants to use", grant.endpoint.as_str(), purpose));
    let scopes = if grant.scopes.is_empty() { "What policy permits".to_owned() } else { grant.scopes.join(", ") };
    facts.push_str(&fact("Scopes", &scopes));
    let mut notes = String::new();
    match &asked.device {
        Some(_) => {
            facts.push_str(&fact("Where", "On the device that shows this code"));
            notes.push_str(&note(
                "Go on only if you began this on a device of your own. Nobody else may give you such a code.",
            ));
        }
        None => {
            facts.push_str(&fact_with("You go back to", &origin_of(&grant.redirect), &grant.redirect));
            if !client.vouched && client.redirects.are_local() {
                let warning = "This application runs on your own machine, and nobody can tell which program that is. \
                               Go on only if you just began this sign-in.";
                notes.push_str(&note(warning));
            }
        }
    }
    let body = format!(
        "<p>It gets no password of yours, and what it may do is decided anew with each call.</p><dl>{facts}</dl>{notes}<form method=\"post\" action=\"/oauth/consent\">\
         <input type=\"hidden\" name=\"request\" value=\"{}\"><div class=\"buttons\">\
         <button class=\"yes\" name=\"answer\" value=\"allow\">Go on and sign in</button>\
         <button name=\"answer\" value=\"deny\">No</button></div></form>",
        escaped(sealed)
    );
    shown(StatusCode::OK, "May this application act for you?", &body, None)
}

/// Sends the browser on by itself, and by a link where it does not. Not with a redirect: what follows a form is held to
/// the form's own site by this page's policy.
pub(super) fn onward(title: &str, text: &str, target: &str) -> Response<Bytes> {
    let body = format!(
        "<p>{}</p><p><a class=\"yes\" rel=\"noreferrer\" href=\"{}\">Continue to {}</a></p>",
        escaped(text),
        escaped(target),
        escaped(&origin_of(target))
    );
    shown(StatusCode::OK, title, &body, Some(target))
}

/// The page on which a person types a device's code.
pub(super) fn device(code: &str, trouble: &str) -> Response<Bytes> {
    let trouble = if trouble.is_empty() { String::new() } else { note(trouble) };
    let body = format!(
        "<p>Type the code that your device shows.</p>{trouble}<form method=\"post\" action=\"/oauth/device\">\
         <label for=\"code\">Code</label><input id=\"code\" name=\"user_code\" value=\"{}\" autocomplete=\"off\" \
         autocapitalize=\"characters\" spellcheck=\"false\" maxlength=\"16\" required autofocus>\
         <div class=\"buttons\"><button class=\"yes\">Next</button></div></form>",
        escaped(code)
    );
    shown(StatusCode::OK, "Sign in a device", &body, None)
}

/// The end of something that went well.
pub(super) fn done(title: &str, text: &str) -> Response<Bytes> {
    shown(StatusCode::OK, title, &format!("<p>{}</p>", escaped(text)), None)
}

/// Something that is not done.
pub(crate) fn trouble(base: &str, status: StatusCode, title: &str, text: &str) -> Response<Bytes> {
    framed(base, status, title, &format!("<p>{}</p>", escaped(text)), None)
}

pub(crate) fn fact(name: &str, value: &str) -> String {
    format!("<div><dt>{}</dt><dd>{}</dd></div>", escaped(name), escaped(value))
}

/// A fact, and below it in small letters what is to be known of it.
fn fact_with(name: &str, value: &str, more: &str) -> String {
    let (name, value, more) = (escaped(name), escaped(value), escaped(more));
    format!("<div><dt>{name}</dt><dd>{value}</dd><dd class=\"small\">{more}</dd></div>")
}

pub(crate) fn note(text: &str) -> String {
    format!("<p class=\"note\" role=\"note\">{}</p>", escaped(text))
}

fn shown(status: StatusCode, title: &str, body: &str, onward: Option<&str>) -> Response<Bytes> {
    framed(BASE, status, title, body, onward)
}

/// A page whose style and icon lie below `base`.
pub(crate) fn framed(base: &str, status: StatusCode, title: &str, body: &str, onward: Option<&str>) -> Response<Bytes> {
    let refresh = onward.map_or_else(String::new, |target| {
        // Quotes within the address would end it (HTML, §4.2.5.3); in a URL they are escaped, and here once more.
        let target = target.replace('\'', "%27").replace('"', "%22");
        format!("<meta http-equiv=\"refresh\" content=\"0;url={}\">", escaped(&target))
    });
    let title = escaped(title);
    site::page(
        status,
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">{refresh}<title>{title} · Portcullis</title>\
             <link rel=\"icon\" href=\"{base}/icon.svg\" type=\"image/svg+xml\">\
             <link rel=\"stylesheet\" href=\"{base}/style.css\"></head><body><main><p class=\"brand\">Portcullis</p>\
             <h1>{title}</h1>{body}</main></body></html>"
        ),
    )
}

const ICON: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 32 32\" fill=\"none\" stroke=\"#2f8f52\" \
stroke-width=\"3\" stroke-linecap=\"round\"><path d=\"M5 29V15a11 11 0 0 1 22 0v14M12 8v21M20 8v21M5 16h22M5 23h22\"/></svg>";

const STYLE: &str = "\
:root{color-scheme:light dark;--ground:#f4f5f2;--card:#fff;--ink:#1b211c;--quiet:#5a645c;--line:#d9ddd6;--yes:#14532d;\
--yes-ink:#fff;--note:#fff4d6;--note-ink:#5c4300}\
@media (prefers-color-scheme:dark){:root{--ground:#121512;--card:#1b201c;--ink:#e8ece7;--quiet:#a3ada4;--line:#323a33;\
--yes:#86d9a0;--yes-ink:#06240f;--note:#3a3010;--note-ink:#ffe29a}}\
*{box-sizing:border-box}\
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;background:var(--ground);color:var(--ink);\
font:1rem/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,sans-serif}\
main{width:100%;max-width:30rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem;\
padding:clamp(1.25rem,5vw,2rem)}\
.brand{margin:0 0 1rem;color:var(--quiet);font-size:.8125rem;letter-spacing:.08em;text-transform:uppercase}\
h1{margin:0 0 .75rem;font-size:1.375rem;line-height:1.25}\
p{margin:0 0 1rem}\
dl{margin:0 0 1rem;border:1px solid var(--line);border-radius:.5rem}\
dl div{padding:.625rem .875rem}\
dl div+div{border-top:1px solid var(--line)}\
dt{color:var(--quiet);font-size:.8125rem}\
dd{margin:0;font-weight:600;overflow-wrap:anywhere}\
dd.small{color:var(--quiet);font-size:.8125rem;font-weight:400}\
dd.small:empty{display:none}\
.note{padding:.75rem .875rem;border-radius:.5rem;background:var(--note);color:var(--note-ink)}\
label{display:block;margin-bottom:.25rem;color:var(--quiet);font-size:.8125rem}\
input:not([type=hidden]){width:100%;margin-bottom:1rem;padding:.625rem .75rem;border:1px solid var(--line);\
border-radius:.5rem;background:transparent;color:inherit;font:600 1.25rem/1.5 ui-monospace,monospace;\
letter-spacing:.12em;text-transform:uppercase}\
.buttons{display:flex;flex-wrap:wrap;gap:.625rem}\
button,a.yes{flex:1 1 11rem;min-height:2.75rem;padding:.5rem 1rem;border:1px solid var(--line);border-radius:.5rem;\
background:transparent;color:inherit;font:inherit;font-weight:600;text-align:center;text-decoration:none;cursor:pointer}\
a.yes{display:block}\
.yes{border-color:var(--yes);background:var(--yes);color:var(--yes-ink)}\
:focus-visible{outline:3px solid var(--yes);outline-offset:2px}";
