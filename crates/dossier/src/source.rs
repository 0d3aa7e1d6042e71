//! What a source file does, as far as its syntax tells: which functions it calls, which texts it holds, what it imports.
//!
//! A call is named by where its function comes from and not by what a file calls it: after
//! `import { exec as run } from "node:child_process"`, `run(…)` is `child_process.exec`. Comments are no code, so nothing
//! in them is a call. Names that are made while a program runs are not followed; that such a thing happens is a rule's to
//! see.

mod javascript;
mod python;

use std::collections::HashMap;
use std::ops::ControlFlow;

use model::limits;
use tree_sitter::{Language as Grammar, Node, ParseOptions, ParseState, Parser, Tree};

/// The languages that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Python.
    Python,
    /// JavaScript.
    JavaScript,
    /// TypeScript, which JavaScript is read by nearly the same rules as.
    TypeScript,
}

impl Language {
    /// The language of a file, by its ending.
    pub fn of(path: &str) -> Option<Self> {
        let (_, ending) = path.rsplit_once('.')?;
        match ending {
            "py" | "pyw" => Some(Self::Python),
            "js" | "mjs" | "cjs" | "jsx" => Some(Self::JavaScript),
            "ts" | "mts" | "cts" => Some(Self::TypeScript),
            _ => None,
        }
    }

    fn grammar(self) -> Grammar {
        match self {
            Self::Python => tree_sitter_python::LANGUAGE.into(),
            Self::JavaScript => tree_sitter_javascript::LANGUAGE.into(),
            Self::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
        }
    }
}

/// What a source file does.
#[derive(Debug, Default)]
pub struct Facts {
    /// The calls it makes.
    pub calls: Vec<Call>,
    /// The texts it holds.
    pub strings: Vec<Placed>,
    /// The modules it imports.
    pub imports: Vec<Placed>,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The function, by where it comes from.
    pub name: String,
    /// The arguments, as they are written.
    pub arguments: String,
    /// Whether the first argument is written out, and not made while the program runs.
    pub is_fixed: bool,
    /// The line it begins on, from 1.
    pub line: usize,
}

/// A text, and the line it begins on, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The text.
    pub text: String,
    /// The line.
    pub line: usize,
}

/// What a file does; `None` where its syntax takes too long to find out.
pub fn facts(language: Language, source: &str) -> Option<Facts> {
    let tree = parsed(language, source)?;
    let mut reading = Reading { source, names: HashMap::new(), facts: Facts::default(), nodes: 0, kept: 0 };
    // Twice: a name may be used above the line that says where it comes from.
    let pass: fn(&mut Reading<'_>, Node<'_>) = match language {
        Language::Python => python::names,
        Language::JavaScript | Language::TypeScript => javascript::names,
    };
    reading.walk(&tree, pass)?;
    let pass: fn(&mut Reading<'_>, Node<'_>) = match language {
        Language::Python => python::deeds,
        Language::JavaScript | Language::TypeScript => javascript::deeds,
    };
    reading.walk(&tree, pass)?;
    Some(reading.facts)
}

fn parsed(language: Language, source: &str) -> Option<Tree> {
    let mut parser = Parser::new();
    parser.set_language(&language.grammar()).ok()?;
    let mut steps = 0_usize;
    // The parser asks now and then whether it is to go on; what it asks so often is no program.
    let mut progress = |_: &ParseState| {
        steps += 1;
        if steps > limits::SOURCE_PARSE_STEPS_MAX { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut progress);
    let bytes = source.as_bytes();
    parser.parse_with_options(&mut |at, _| bytes.get(at..).unwrap_or_default(), None, Some(options))
}

/// A file that is being read.
struct Reading<'a> {
    source: &'a str,
    /// What names of this file stand for.
    names: HashMap<String, String>,
    facts: Facts,
    nodes: usize,
    /// Bytes of the facts.
    kept: usize,
}

impl<'a> Reading<'a> {
    /// Shows every node to `pass`, from the outside in.
    fn walk(&mut self, tree: &Tree, pass: fn(&mut Self, Node<'_>)) -> Option<()> {
        let mut cursor = tree.walk();
        loop {
            self.nodes += 1;
            if self.nodes > limits::SOURCE_NODES_MAX || self.kept > limits::SOURCE_FACTS_BYTES_MAX {
                return None;
            }
            pass(self, cursor.node());
            if cursor.goto_first_child() || cursor.goto_next_sibling() {
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return Some(());
                }
            }
        }
    }

    fn text(&self, node: Node<'_>) -> &'a str {
        self.source.get(node.byte_range()).unwrap_or_default()
    }

    /// What a text in quotes says.
    fn said(&self, node: Node<'_>) -> String {
        let text = self.text(node);
        let bare = text.trim_start_matches(|letter: char| letter.is_ascii_alphabetic());
        bare.trim_matches(['"', '\'', '`']).to_owned()
    }

    fn call(&mut self, function: Node<'_>, arguments: Option<Node<'_>>, is_fixed: bool) {
        let name = self.resolved(self.text(function));
        let written = arguments.map_or("", |arguments| self.text(arguments));
        let arguments: String = written.chars().take(limits::SOURCE_ARGUMENTS_CHARS_MAX).collect();
        self.kept += name.len() + arguments.len();
        self.facts.calls.push(Call { name, arguments, is_fixed, line: line_of(function) });
    }

    fn string(&mut self, node: Node<'_>) {
        let text = self.said(node);
        self.kept += text.len();
        self.facts.strings.push(Placed { text, line: line_of(node) });
    }

    /// A function's name by where it comes from.
    fn resolved(&self, written: &str) -> String {
        let mut name: String = written.chars().filter(|letter| !letter.is_whitespace()).take(512).collect();
        name = name.replace("?.", ".").replace("globalThis.", "").replace("window.", "");
        for begin in ["require(", "(awaitimport(", "__import__(", "importlib.import_module("] {
            if let Some(rest) = name.strip_prefix(begin)
                && let Some((module, rest)) = rest.split_once(')')
            {
                let module = plain_module(module.trim_matches(['"', '\'', '`']));
                return format!("{module}{}", rest.trim_start_matches(')'));
            }
        }
        let (first, rest) = name.split_once('.').map_or((name.as_str(), None), |(first, rest)| (first, Some(rest)));
        match (self.names.get(first), rest) {
            (Some(origin), Some(rest)) => format!("{origin}.{rest}"),
            (Some(origin), None) => origin.clone(),
            (None, _) => name,
        }
    }
}

fn line_of(node: Node<'_>) -> usize {
    node.start_position().row + 1
}

/// A module's name, without what only says that it is one of Node's.
fn plain_module(module: &str) -> &str {
    module.strip_prefix("node:").unwrap_or(module)
}

#[cfg(test)]
mod tests;
