//! A question of a name server and its answer (RFC 1035), as far as texts go.

/// Bytes that an answer over UDP is said to be read up to (RFC 6891), so that it need not be asked again over TCP.
pub(crate) const DATAGRAM_BYTES: u16 = 1232;
/// Bytes before the question.
const HEADER_BYTES: usize = 12;
const TEXT: u16 = 16;
const ALIAS: u16 = 5;
const INTERNET: u16 = 1;
/// Bytes of a name, with the lengths of its parts.
const NAME_BYTES_MAX: usize = 255;
/// Places in an answer that one name may be pieced together from.
const JUMPS_MAX: usize = 16;
/// Records of an answer that are read.
const RECORDS_MAX: usize = 256;

/// Why an answer says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It is the answer to another question, or none.
    Other,
    /// It is cut off: whoever asks over TCP gets all of it.
    CutOff,
    /// The server could not say, or would not: its code.
    Refused(u8),
}

/// The question for all texts at a name; none if it is no name.
pub(crate) fn question(id: u16, name: &str) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    message.extend(id.to_be_bytes());
    // What is asked of others is to be asked; one question, and one line beside it that says how much may come.
    message.extend([0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 1]);
    let mut length = 1;
    for part in name.strip_suffix('.').unwrap_or(name).split('.') {
        let bytes = u8::try_from(part.len()).ok().filter(|bytes| (1..=63).contains(bytes))?;
        length += part.len() + 1;
        message.push(bytes);
        message.extend(part.bytes());
    }
    if length > NAME_BYTES_MAX {
        return None;
    }
    message.push(0);
    message.extend([TEXT.to_be_bytes(), INTERNET.to_be_bytes()].concat());
    let [high, low] = DATAGRAM_BYTES.to_be_bytes();
    message.extend([0, 0, 41, high, low, 0, 0, 0, 0, 0, 0]);
    Some(message)
}

/// The texts in the answer to a question. Of a name that is an alias, those of what it stands for.
pub(crate) fn texts(question: &[u8], answer: &[u8]) -> Result<Vec<String>, Unread> {
    let asked = Message(question).name(HEADER_BYTES).ok_or(Unread::Other)?;
    let message = Message(answer);
    let head = answer.first_chunk::<HEADER_BYTES>().ok_or(Unread::Other)?;
    let [id_high, id_low, flags, code, _, questions, answers_high, answers_low, ..] = *head;
    let is_answer = question.starts_with(&[id_high, id_low]) && flags & 0xf8 == 0x80 && questions == 1;
    let repeated = message.name(HEADER_BYTES).filter(|(name, _)| is_answer && *name == asked.0).ok_or(Unread::Other)?;
    let kind = message.number(repeated.1).zip(message.number(repeated.1 + 2));
    if kind != Some((TEXT, INTERNET)) {
        return Err(Unread::Other);
    }
    if flags & 0x02 != 0 {
        return Err(Unread::CutOff);
    }
    match code & 0x0f {
        0 => {}
        // There is no such name, and so there are no texts at it.
        3 => return Ok(Vec::new()),
        other => return Err(Unread::Refused(other)),
    }
    let number = usize::from(u16::from_be_bytes([answers_high, answers_low])).min(RECORDS_MAX);
    message.read(repeated.1 + 4, number, asked.0).ok_or(Unread::Other)
}

struct Message<'a>(&'a [u8]);

impl Message<'_> {
    fn number(&self, at: usize) -> Option<u16> {
        Some(u16::from_be_bytes(*self.0.get(at..)?.first_chunk()?))
    }

    /// The name at a place, in small letters, and where what follows it begins.
    fn name(&self, at: usize) -> Option<(Vec<u8>, usize)> {
        let (mut name, mut at, mut end) = (Vec::new(), at, None);
        for _ in 0..JUMPS_MAX {
            loop {
                let length = usize::from(*self.0.get(at)?);
                match length {
                    0 => return Some((name, end.unwrap_or(at + 1))),
                    1..=63 => {
                        let part = self.0.get(at + 1..at + 1 + length)?;
                        if name.len() + length + 1 > NAME_BYTES_MAX {
                            return None;
                        }
                        name.push(*self.0.get(at)?);
                        name.extend(part.iter().map(u8::to_ascii_lowercase));
                        at += 1 + length;
                    }
                    192..=255 => {
                        end.get_or_insert(at + 2);
                        at = usize::from(self.number(at)? & 0x3fff);
                        break;
                    }
                    _ => return None,
                }
            }
        }
        None
    }

    /// The texts among so many records, at a name or at what it stands for: an alias stands before it.
    fn read(&self, mut at: usize, number: usize, mut name: Vec<u8>) -> Option<Vec<String>> {
        let mut texts = Vec::new();
        for _ in 0..number {
            let (owner, after) = self.name(at)?;
            let (kind, class) = (self.number(after)?, self.number(after + 2)?);
            let length = usize::from(self.number(after + 8)?);
            let data = self.0.get(after + 10..after + 10 + length)?;
            if owner == name && class == INTERNET && kind == ALIAS {
                name = self.name(after + 10)?.0;
            } else if owner == name && class == INTERNET && kind == TEXT {
                texts.push(whole(data)?);
            }
            at = after + 10 + length;
        }
        Some(texts)
    }
}

/// A text, which comes in parts of at most 255 bytes.
fn whole(mut data: &[u8]) -> Option<String> {
    let mut text = Vec::new();
    while let Some((length, rest)) = data.split_first() {
        let (part, after) = rest.split_at_checked(usize::from(*length))?;
        text.extend_from_slice(part);
        data = after;
    }
    Some(String::from_utf8_lossy(&text).into_owned())
}
