//! Which tools want which of their arguments in headers: learnt from the listings that pass by.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use http::HeaderMap;
use model::limits;
use serde_json::Value;
use wire::ParamHeaders;

/// Tools whose arguments are mirrored. What was never listed here is mirrored in no header.
#[derive(Debug, Default)]
pub(super) struct Mirrored(Mutex<HashMap<String, ParamHeaders>>);

impl Mirrored {
    /// Looks at the result of a listing of tools. What the endpoint offers has been checked by the gate, so that a tool
    /// whose annotations break the rules does not come this way.
    pub(super) fn see(&self, listing: &Value) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for tool in listing.get("tools").and_then(Value::as_array).into_iter().flatten() {
            let (Some(name), Some(schema)) = (tool.get("name").and_then(Value::as_str), tool.get("inputSchema")) else {
                continue;
            };
            match ParamHeaders::compile(schema) {
                Ok(headers) if !headers.is_empty() && known.len() < limits::DEFINITIONS_PER_SERVER_MAX => {
                    known.insert(name.to_owned(), headers);
                }
                Ok(_) | Err(_) => drop(known.remove(name)),
            }
        }
    }

    /// Writes the headers of a call.
    pub(super) fn write(&self, params: &Value, headers: &mut HeaderMap) {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mirrored) = params.get("name").and_then(Value::as_str).and_then(|name| known.get(name)) {
            mirrored.write(params.get("arguments"), headers);
        }
    }
}

#[cfg(test)]
mod tests;
