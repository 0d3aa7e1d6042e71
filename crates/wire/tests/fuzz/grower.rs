//! JSON from bytes.

/// Grows a JSON text from bytes, each of which decides one thing.
pub(crate) struct Grower<'a> {
    bytes: std::slice::Iter<'a, u8>,
    text: Vec<u8>,
}

const KEYS: &[&str] = &[
    "a",
    "b",
    "\\u0061",
    "A",
    "",
    "ä",
    "\\ud83d\\ude00",
    "😀",
    "jsonrpc",
    "id",
    "method",
    "params",
    "result",
    "error",
    "_meta",
    "name",
    "Name",
    "uri",
    "ur\u{131}",
    "arguments",
    "cursor",
    "inputRequests",
    "resultType",
    "isError",
    "code",
    "message",
    "type",
    "properties",
    "x-mcp-header",
    "items",
    "io.modelcontextprotocol/protocolVersion",
    "io.modelcontextprotocol/clientCapabilities",
    "io.modelcontextprotocol/subscriptionId",
    "elicitation",
    "ref",
    "notifications",
    "resourceSubscriptions",
    "progressToken",
    "requestState",
    "protocolVersion",
    "capabilities",
    "requestId",
    "elicitationId",
    "elicitations",
    "data",
    "mode",
    "action",
    "k0",
    "k1",
    "k2",
    "k3",
    "k4",
    "k5",
    "k6",
];

const LEAVES: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "-1",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "0.0",
    "-0.0",
    "1.5",
    "0.1",
    "1e5",
    "1E-5",
    "1e308",
    "1e309",
    "1.7976931348623157e308",
    "5e-324",
    "1e-324",
    "2e-324",
    "2.4703282292062328e-324",
    "0e99",
    "00",
    "1.",
    ".5",
    "123456789012345678901234567890e-20",
    "1e-307",
    "1e300",
    "\"\"",
    "\"a\"",
    "\"\\n\"",
    "\"\\ud800\"",
    "\"\\ud83d\\ude00x\"",
    "\"2.0\"",
    "\"2026-07-28\"",
    "\"tools/call\"",
    "\"input_required\"",
    "\"string\"",
    "\"integer\"",
    "\"Region\"",
    "\"ref/prompt\"",
    "\"subscriptions/listen\"",
    "\"url\"",
    "-32042",
    "7",
];

impl Grower<'_> {
    pub(crate) fn grow(bytes: &[u8]) -> Vec<u8> {
        let mut grower = Grower { bytes: bytes.iter(), text: Vec::new() };
        grower.value(0);
        grower.text
    }

    fn next(&mut self) -> usize {
        self.bytes.next().copied().map_or(0, usize::from)
    }

    fn value(&mut self, depth: usize) {
        match self.next() % 16 {
            0..=5 if depth < 70 => self.object(depth),
            6..=7 if depth < 70 => self.array(depth),
            8 => self.digits(),
            9 => {
                let byte = self.bytes.next().copied().unwrap_or(b'!');
                self.text.push(byte);
            }
            _ => {
                let leaf = LEAVES[self.next() % LEAVES.len()];
                self.text.extend_from_slice(leaf.as_bytes());
            }
        }
    }

    fn object(&mut self, depth: usize) {
        self.text.push(b'{');
        for place in 0..self.next() % 24 {
            if place > 0 {
                self.text.push(b',');
            }
            let key = KEYS[self.next() % KEYS.len()];
            // Most objects should get past the check for repeated keys.
            let salt = if self.next().is_multiple_of(4) { String::new() } else { place.to_string() };
            self.text.extend_from_slice(format!(" \"{key}{salt}\" :").as_bytes());
            self.value(depth + 1);
        }
        self.text.push(b'}');
    }

    fn array(&mut self, depth: usize) {
        self.text.push(b'[');
        for place in 0..self.next() % 4 {
            if place > 0 {
                self.text.extend_from_slice(b", ");
            }
            self.value(depth + 1);
        }
        self.text.push(b']');
    }

    fn digits(&mut self) {
        let letters = b"0123456789-.eE+1234567890000";
        for _ in 0..self.next() % 24 + 1 {
            let letter = letters[self.next() % letters.len()];
            self.text.push(letter);
        }
    }
}
