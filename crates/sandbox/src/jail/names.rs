//! Who answers for names within a watched jail: every name leads to an address of its own that leads nowhere, so that it shows
//! by its address which name somebody connects to.

use std::collections::HashMap;

/// Names that are told apart.
const NAMES_MAX: u16 = 4096;
/// Bytes of a header, and of what stands behind a name in a question.
const HEADER: usize = 12;
const TAIL: usize = 4;
const ADDRESS: u16 = 1;
/// Seconds that an answer is good.
const SECONDS: u32 = 60;

/// The names that were asked for.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: HashMap<String, u16>,
}

impl Names {
    /// Answers a question, and says which name it was for, if nobody asked for that before.
    pub(super) fn answer(&mut self, question: &[u8]) -> Option<(Vec<u8>, Option<String>)> {
        let (name, end) = name(question)?;
        let kind = u16::from_be_bytes([*question.get(end)?, *question.get(end + 1)?]);
        question.get(end..end + TAIL)?;
        let is_own = matches!(name.as_str(), "localhost" | "jail");
        let is_new = !is_own && !self.known.contains_key(&name) && self.known.len() < usize::from(NAMES_MAX);
        if is_new {
            let number = u16::try_from(self.known.len()).unwrap_or(NAMES_MAX);
            self.known.insert(name.clone(), number);
        }
        let address = if is_own { Some([127, 0, 0, 1]) } else { self.known.get(&name).map(|number| address(*number)) };
        let address = address.filter(|_| kind == ADDRESS);
        let mut answer = question.get(..2)?.to_vec();
        // An answer with recursion, no error; one question, and one answer or none.
        answer.extend([0x81, 0x80, 0, 1, 0, u8::from(address.is_some()), 0, 0, 0, 0]);
        answer.extend(question.get(HEADER..end + TAIL)?);
        if let Some(address) = address {
            answer.extend([0xc0, 0x0c, 0, 1, 0, 1]);
            answer.extend(SECONDS.to_be_bytes());
            answer.extend([0, 4]);
            answer.extend(address);
        }
        Some((answer, is_new.then_some(name)))
    }

    /// The name that was told this address.
    pub(super) fn of(&self, address: [u8; 4]) -> Option<&str> {
        self.known.iter().find(|(_, number)| self::address(**number) == address).map(|(name, _)| name.as_str())
    }
}

/// The address of the name with this number: within loopback, where nobody else is.
fn address(number: u16) -> [u8; 4] {
    let [high, low] = number.to_be_bytes();
    [127, 64, high, low]
}

/// The name of the first question, and where it ends.
fn name(question: &[u8]) -> Option<(String, usize)> {
    // A question, and not an answer; one, or more of which the first counts.
    if question.get(2)? & 0x80 != 0 || question.get(4..6)? == [0, 0] {
        return None;
    }
    let (mut name, mut at) = (String::new(), HEADER);
    loop {
        let length = usize::from(*question.get(at)?);
        at += 1;
        match length {
            0 => return (!name.is_empty()).then_some((name, at)),
            1..64 if name.len() < 256 => {
                let label = question.get(at..at + length)?;
                if !name.is_empty() {
                    name.push('.');
                }
                name.push_str(&String::from_utf8_lossy(label).to_lowercase());
                at += length;
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(name: &str, kind: u8) -> Vec<u8> {
        let mut bytes = vec![7, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in name.split('.') {
            bytes.push(u8::try_from(label.len()).unwrap());
            bytes.extend(label.as_bytes());
        }
        bytes.extend([0, 0, kind, 0, 1]);
        bytes
    }

    #[test]
    fn each_name_has_an_address_by_which_it_is_known_again() {
        let mut names = Names::default();
        let (answer, new) = names.answer(&question("Evil.example", 1)).unwrap();
        assert_eq!(new.as_deref(), Some("evil.example"));
        assert_eq!((&answer[..2], &answer[answer.len() - 4..]), ([7, 9].as_slice(), [127, 64, 0, 0].as_slice()));
        let (answer, _) = names.answer(&question("other.example", 1)).unwrap();
        assert_eq!(answer[answer.len() - 4..], [127, 64, 0, 1]);
        assert_eq!(names.of([127, 64, 0, 0]), Some("evil.example"));
        assert_eq!(names.of([10, 0, 0, 1]), None);
        let (again, new) = names.answer(&question("evil.example", 28)).unwrap();
        assert_eq!((again[7], new), (0, None), "there is no address of another kind");
        let (own, new) = names.answer(&question("localhost", 1)).unwrap();
        assert_eq!((&own[own.len() - 4..], new), ([127, 0, 0, 1].as_slice(), None));
    }

    #[test]
    fn what_is_no_question_has_no_answer() {
        let mut names = Names::default();
        let whole = question("evil.example", 1);
        for end in 0..whole.len() {
            assert_eq!(names.answer(&whole[..end]), None, "{end}");
        }
        let mut answer = whole.clone();
        answer[2] |= 0x80;
        assert_eq!(names.answer(&answer), None);
        let mut pointer = whole;
        pointer[12] = 0xc0;
        assert_eq!(names.answer(&pointer), None);
    }
}
