//! The smallest files that are what they say they are, in base64.

/// A PNG image of one red pixel.
pub(crate) const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";

/// A WAV file of no samples, 8 kHz, mono, 8 bits.
pub(crate) const WAV: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn the_files_begin_as_their_formats_demand() {
        assert!(STANDARD.decode(PNG).unwrap().starts_with(b"\x89PNG\r\n\x1a\n"));
        let wav = STANDARD.decode(WAV).unwrap();
        assert_eq!((&wav[..4], &wav[8..12], wav.len()), (&b"RIFF"[..], &b"WAVE"[..], 44));
    }
}
