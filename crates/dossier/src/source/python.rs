//! What Python's syntax tells.

use tree_sitter::Node;

use super::{Placed, Reading, line_of};

/// Where names come from.
pub(super) fn names(reading: &mut Reading<'_>, node: Node<'_>) {
    match node.kind() {
        "import_statement" => {
            let mut cursor = node.walk();
            for imported in node.named_children(&mut cursor) {
                let (module, local) = bound(reading, imported);
                reading.facts.imports.push(Placed { text: module.clone(), line: line_of(node) });
                if let Some(local) = local {
                    reading.names.insert(local, module);
                }
            }
        }
        "import_from_statement" => {
            let Some(from) = node.child_by_field_name("module_name") else { return };
            let module = reading.text(from).to_owned();
            reading.facts.imports.push(Placed { text: module.clone(), line: line_of(node) });
            let mut cursor = node.walk();
            for imported in node.children_by_field_name("name", &mut cursor) {
                let (name, local) = bound(reading, imported);
                reading.names.insert(local.unwrap_or_else(|| name.clone()), format!("{module}.{name}"));
            }
        }
        _ => {}
    }
}

/// What an import names, and what it is called here, if it is called otherwise.
fn bound(reading: &Reading<'_>, node: Node<'_>) -> (String, Option<String>) {
    let name = node.child_by_field_name("name").unwrap_or(node);
    let alias = node.child_by_field_name("alias").map(|alias| reading.text(alias).to_owned());
    (reading.text(name).to_owned(), alias)
}

/// Calls and texts.
pub(super) fn deeds(reading: &mut Reading<'_>, node: Node<'_>) {
    match node.kind() {
        "call" => {
            let Some(function) = node.child_by_field_name("function") else { return };
            let arguments = node.child_by_field_name("arguments");
            let first = arguments.and_then(|arguments| arguments.named_child(0));
            reading.call(function, arguments, first.is_none_or(is_fixed));
        }
        "string" => reading.string(node),
        _ => {}
    }
}

/// Whether a value is written out.
fn is_fixed(node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    match node.kind() {
        "string" => !node.children(&mut cursor).any(|child| child.kind() == "interpolation"),
        "list" | "tuple" => node.named_children(&mut cursor).all(is_fixed_leaf),
        kind => matches!(kind, "integer" | "float" | "true" | "false" | "none"),
    }
}

fn is_fixed_leaf(node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    node.kind() == "string" && !node.children(&mut cursor).any(|child| child.kind() == "interpolation")
}
