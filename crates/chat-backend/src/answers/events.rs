//! [`Events`]: the `data` of server-sent events, out of bytes that arrive in any pieces.

/// An event longer than this is not one of a chat answer.
const LONGEST: usize = 1 << 20;

/// Bytes that have come and are not yet a whole line.
#[derive(Debug, Default)]
pub(crate) struct Events {
    rest: Vec<u8>,
}

/// An upstream that does not speak in events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoEvent {
    #[error("an event is longer than 1 MiB")]
    TooLong,
    #[error("an event is not UTF-8 text")]
    NotText,
}

impl Events {
    /// The data of the events that `bytes` complete. Each event of a chat answer has one line of data.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Result<Vec<String>, NoEvent> {
        let mut found = Vec::new();
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.rest.extend_from_slice(piece);
            if self.rest.len() > LONGEST {
                return Err(NoEvent::TooLong);
            }
            if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut self.rest);
                let line = str::from_utf8(&line).map_err(|_| NoEvent::NotText)?.trim_end_matches(['\r', '\n']);
                if let Some(data) = line.strip_prefix("data:") {
                    found.push(data.strip_prefix(' ').unwrap_or(data).to_owned());
                }
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn events_are_the_same_however_their_bytes_are_cut(cut in 0..60_usize, again in 0..60_usize) {
            let text = ": hello\r\n\r\ndata: {\"a\": \"é\"}\n\ndata:{}\r\n\r\nevent: x\n\ndata: [DONE]\n\n".as_bytes();
            let (first, second) = (cut.min(again).min(text.len()), cut.max(again).min(text.len()));
            let mut events = Events::default();
            let mut found = Vec::new();
            for piece in [&text[..first], &text[first..second], &text[second..]] {
                found.extend(events.read(piece).unwrap());
            }
            prop_assert_eq!(found, ["{\"a\": \"é\"}", "{}", "[DONE]"]);
        }
    }

    #[test]
    fn a_line_without_end_is_given_up() {
        let mut events = Events::default();
        assert_eq!(events.read(&vec![b'x'; LONGEST]), Ok(Vec::new()));
        assert_eq!(events.read(b"x"), Err(NoEvent::TooLong));
        assert_eq!(Events::default().read(b"data: \xff\n"), Err(NoEvent::NotText));
    }
}
