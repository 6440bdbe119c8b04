//! The file as rows, each with its line.

use std::io::{Chain, Read};

use csv::{ByteRecord, Reader, ReaderBuilder, Terminator};

use super::mapping::Mapping;

/// A file that is being read.
pub(super) struct Table<R> {
    reader: Reader<Chain<R, &'static [u8]>>,
}

impl<R: Read> Table<R> {
    /// Reads `from` as the mapping says.
    pub(super) fn new(from: R, mapping: &Mapping) -> Self {
        let reader = ReaderBuilder::new()
            .delimiter(mapping.delimiter)
            .flexible(true)
            // A carriage return before it is trimmed with the last value. Were both the end of a line, as is the default,
            // lines could not be counted.
            .terminator(Terminator::Any(b'\n'))
            // The last line may lack its end.
            .from_reader(from.chain(&b"\n"[..]));
        Self { reader }
    }

    /// What the first line calls the columns; `None` where it is in another encoding.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn header(&mut self, mapping: &Mapping) -> csv::Result<Option<Vec<String>>> {
        let decode = |name: &[u8]| {
            let name = mapping.encoding.decode(name)?;
            Some(name.trim().to_owned())
        };
        Ok(self.reader.byte_headers()?.iter().map(decode).collect())
    }

    /// Reads the next row that is not empty, and returns the line it begins on, from 1.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn next(&mut self, row: &mut ByteRecord) -> csv::Result<Option<usize>> {
        while self.reader.read_byte_record(row)? {
            if row.len() > 1 || !row.as_slice().trim_ascii().is_empty() {
                // From its end, since empty lines before it are no rows.
                let within = row.as_slice().iter().filter(|b| **b == b'\n').count();
                let after = usize::try_from(self.reader.position().line()).unwrap_or(usize::MAX);
                return Ok(Some(after.saturating_sub(within + 1)));
            }
        }
        Ok(None)
    }

    /// How many bytes have been read.
    pub(super) fn bytes(&self) -> u64 {
        self.reader.position().byte()
    }
}
