//! What JavaScript's syntax tells, and TypeScript's.

use tree_sitter::Node;

use super::{Placed, Reading, line_of, plain_module};

/// Where names come from.
pub(super) fn names(reading: &mut Reading<'_>, node: Node<'_>) {
    match node.kind() {
        "import_statement" => {
            let Some(source) = node.child_by_field_name("source") else { return };
            let module = plain_module(&reading.said(source)).to_owned();
            reading.facts.imports.push(Placed { text: module.clone(), line: line_of(node) });
            let mut cursor = node.walk();
            let clause = node.named_children(&mut cursor).find(|child| child.kind() == "import_clause");
            clause.into_iter().for_each(|clause| imported(reading, clause, &module));
        }
        "variable_declarator" => {
            let (name, value) = (node.child_by_field_name("name"), node.child_by_field_name("value"));
            let (Some(name), Some(value)) = (name, value) else { return };
            let Some(module) = required(reading, value) else { return };
            reading.facts.imports.push(Placed { text: module.clone(), line: line_of(node) });
            match name.kind() {
                "identifier" => drop(reading.names.insert(reading.text(name).to_owned(), module)),
                "object_pattern" => taken_apart(reading, name, &module),
                _ => {}
            }
        }
        _ => {}
    }
}

fn imported(reading: &mut Reading<'_>, clause: Node<'_>, module: &str) {
    let mut cursor = clause.walk();
    for child in clause.named_children(&mut cursor) {
        match child.kind() {
            "identifier" => drop(reading.names.insert(reading.text(child).to_owned(), module.to_owned())),
            "namespace_import" => {
                let name = child.named_child(0).map(|name| reading.text(name).to_owned());
                reading.names.extend(name.map(|name| (name, module.to_owned())));
            }
            "named_imports" => {
                let mut inner = child.walk();
                for one in child.named_children(&mut inner) {
                    let Some(name) = one.child_by_field_name("name") else { continue };
                    let local = one.child_by_field_name("alias").unwrap_or(name);
                    let origin = format!("{module}.{}", reading.text(name));
                    reading.names.insert(reading.text(local).to_owned(), origin);
                }
            }
            _ => {}
        }
    }
}

/// `const { exec: run } = require("child_process")`.
fn taken_apart(reading: &mut Reading<'_>, pattern: Node<'_>, module: &str) {
    let mut cursor = pattern.walk();
    for child in pattern.named_children(&mut cursor) {
        let pair = (child.child_by_field_name("key"), child.child_by_field_name("value"));
        let (name, local) = match pair {
            (Some(key), Some(value)) => (reading.text(key), reading.text(value)),
            _ => (reading.text(child), reading.text(child)),
        };
        reading.names.insert(local.to_owned(), format!("{module}.{name}"));
    }
}

/// The module of `require("…")` or `await import("…")`.
fn required(reading: &Reading<'_>, node: Node<'_>) -> Option<String> {
    let call = if node.kind() == "await_expression" { node.named_child(0)? } else { node };
    let function = call.child_by_field_name("function")?;
    let first = call.child_by_field_name("arguments")?.named_child(0)?;
    let loads = matches!(reading.text(function), "require" | "import") && first.kind() == "string";
    loads.then(|| plain_module(&reading.said(first)).to_owned())
}

/// Calls and texts.
pub(super) fn deeds(reading: &mut Reading<'_>, node: Node<'_>) {
    let function = match node.kind() {
        "call_expression" => node.child_by_field_name("function"),
        "new_expression" => node.child_by_field_name("constructor"),
        "string" | "template_string" => {
            reading.string(node);
            None
        }
        _ => None,
    };
    if let Some(function) = function {
        let arguments = node.child_by_field_name("arguments");
        let first = arguments.and_then(|arguments| arguments.named_child(0));
        reading.call(function, arguments, first.is_none_or(is_fixed));
    }
}

/// Whether a value is written out.
fn is_fixed(node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    match node.kind() {
        "string" | "number" | "true" | "false" | "null" => true,
        "template_string" => !node.children(&mut cursor).any(|child| child.kind() == "template_substitution"),
        "array" => node.named_children(&mut cursor).all(|child| child.kind() == "string"),
        _ => false,
    }
}
