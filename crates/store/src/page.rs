//! How a page of a history is written down: a head, and four bytes a sample.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | version of the format, [`FORMAT`] |
//! | 4 | step in seconds |
//! | 8 | time of the first sample, in seconds since the epoch |
//! | 4 each | samples in single precision; missing ones as NaN with the reason in its low bits |
//!
//! All of it with the lowest byte first.

use series::{GapReason, Load, Sample, Series, Step, Timestamp};

/// Raised whenever a page of before would be read wrongly.
pub(crate) const FORMAT: u8 = 1;

const HEAD: usize = 13;

/// A quiet NaN; the place of the reason, counted from one, is added.
const MISSING: u32 = 0x7fc0_0000;
const REASONS: [GapReason; 4] =
    [GapReason::NoSample, GapReason::NotANumber, GapReason::Infinite, GapReason::OutOfRange];

/// Why a page cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PageError {
    #[error("it has format {found}, this version reads format {FORMAT}")]
    Format { found: u8 },
    #[error("it does not end with a sample")]
    Length,
    #[error("its head tells no step and time")]
    Head,
    #[error("sample {index} is neither a load nor a gap")]
    Sample { index: usize },
}

pub(crate) fn write(page: &Series) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD + 4 * page.len());
    bytes.push(FORMAT);
    bytes.extend(page.step().seconds().to_le_bytes());
    bytes.extend(page.start().as_second().to_le_bytes());
    let mut words: Vec<u32> = page.amounts().iter().map(|amount| amount.to_bits()).collect();
    for gap in page.gaps() {
        let place = REASONS.iter().zip(1..).find(|(reason, _)| **reason == gap.reason);
        words[gap.first..gap.first + gap.len].fill(MISSING + place.map_or(1, |(_, place)| place));
    }
    bytes.extend(words.into_iter().flat_map(u32::to_le_bytes));
    bytes
}

pub(crate) fn read(bytes: &[u8]) -> Result<Series, PageError> {
    let (&found, rest) = bytes.split_first().ok_or(PageError::Length)?;
    if found != FORMAT {
        return Err(PageError::Format { found });
    }
    let (&step, rest) = rest.split_first_chunk().ok_or(PageError::Length)?;
    let (&start, rest) = rest.split_first_chunk().ok_or(PageError::Length)?;
    let step = Step::from_seconds(u32::from_le_bytes(step)).map_err(|_| PageError::Head)?;
    let start = Timestamp::from_second(i64::from_le_bytes(start)).map_err(|_| PageError::Head)?;
    let (words, []) = rest.as_chunks() else { return Err(PageError::Length) };
    let samples = words.iter().enumerate().map(|(index, &word)| sample(u32::from_le_bytes(word)).ok_or(index));
    let samples: Vec<Sample> = samples.collect::<Result<_, _>>().map_err(|index| PageError::Sample { index })?;
    Series::from_samples(start, step, samples).map_err(|_| PageError::Head)
}

fn sample(word: u32) -> Option<Sample> {
    if let Some(place) = word.checked_sub(MISSING + 1).and_then(|place| usize::try_from(place).ok())
        && let Some(&reason) = REASONS.get(place)
    {
        return Some(Sample::Gap(reason));
    }
    let amount = f64::from(f32::from_bits(word));
    // as it is rounded, the largest load may be a little larger
    let is_load = amount.abs() <= Load::MAX * (1.0 + f64::from(f32::EPSILON));
    Load::new(amount.clamp(-Load::MAX, Load::MAX)).ok().filter(|_| is_load).map(Sample::Value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn page() -> Series {
        let load = |amount| Sample::Value(Load::new(amount).unwrap());
        let samples = [load(0.0), load(-1.5), load(1e-30), load(Load::MAX), load(-Load::MAX)];
        let all = samples.into_iter().chain(REASONS.map(Sample::Gap)).chain([load(7.0)]);
        Series::from_samples(Timestamp::from_second(-120).unwrap(), Step::MINUTE, all).unwrap()
    }

    #[test]
    fn what_was_written_is_read_to_the_last_bit() {
        assert_eq!(read(&write(&page())), Ok(page()));
    }

    #[test]
    fn the_format_is_what_the_head_of_this_file_says() {
        let two = page().newest(2);
        assert_eq!(write(&two), [1, 60, 0, 0, 0, 104, 1, 0, 0, 0, 0, 0, 0, 4, 0, 0xc0, 0x7f, 0, 0, 0xe0, 0x40]);
    }

    #[test]
    fn what_is_no_page_is_told() {
        let sound = write(&page());
        assert_eq!(read(&[]), Err(PageError::Length));
        assert_eq!(read(&sound[..8]), Err(PageError::Length));
        assert_eq!(read(&sound[..sound.len() - 1]), Err(PageError::Length));
        assert_eq!(read(&[&[9], &sound[1..]].concat()), Err(PageError::Format { found: 9 }));
        assert_eq!(read(&[&[1, 0, 0, 0, 0], &sound[5..]].concat()), Err(PageError::Head), "no step");
        assert_eq!(read(&[&[1, 61], &sound[2..]].concat()), Err(PageError::Head), "off the grid");
        for amount in [f32::NAN, f32::INFINITY, 1e16] {
            let wrong = [&sound[..HEAD + 4], &amount.to_le_bytes(), &sound[HEAD + 8..]].concat();
            assert_eq!(read(&wrong), Err(PageError::Sample { index: 1 }), "{amount}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_page_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let framed = [&write(&page())[..HEAD], &bytes].concat();
            for bytes in [bytes, framed] {
                if let Ok(page) = read(&bytes) {
                    prop_assert_eq!(read(&write(&page)), Ok(page));
                }
            }
        }
    }
}
