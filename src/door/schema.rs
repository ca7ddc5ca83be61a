//! Records whose schema lies in a registry: Confluent's wire format, and Avro, Protobuf or JSON as JSON, which the source's mapping reads then.
//!
//! ```text
//!   0 | schema id, 4 bytes big-endian | [Protobuf: which message, as varints] | payload
//! ```

use super::avro::AvroSchema;
use crate::feeds::{Fault, Reason};
use prost_reflect::{DynamicMessage, FileDescriptor, MessageDescriptor};
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};
#[cfg(test)]
use serde_json::Value;
use std::collections::BTreeMap;

/// A schema of a registry, ready to decode.
pub enum Schema {
    /// Avro.
    Avro(AvroSchema),
    /// Protobuf: the file whose messages records may be.
    Protobuf(FileDescriptor),
    /// JSON: nothing to decode.
    Json,
}

/// A record's schema id, and what follows it.
///
/// # Errors
/// The record is not in the wire format.
pub fn framed(record: &[u8]) -> Result<(u32, &[u8]), Fault> {
    match record {
        [0, a, b, c, d, rest @ ..] => Ok((u32::from_be_bytes([*a, *b, *c, *d]), rest)),
        _ => Err(Fault::new(Reason::Malformed, "does not begin with a schema's id (a zero byte and four more)")),
    }
}

impl Schema {
    /// Reads a schema as the registry has it: its type (none is Avro), its text, and the texts that it imports, by name.
    ///
    /// # Errors
    /// It is no schema of that type; the text says why.
    pub fn parse(kind: Option<&str>, text: &str, imports: &BTreeMap<String, String>) -> Result<Self, String> {
        match kind.unwrap_or("AVRO") {
            "AVRO" => AvroSchema::parse(text, imports.values()).map(Self::Avro),
            "PROTOBUF" => protobuf(text, imports).map(Self::Protobuf),
            "JSON" => Ok(Self::Json),
            other => Err(format!("a schema of the type {other:?} is not read")),
        }
    }

    /// What follows the id, as JSON.
    ///
    /// # Errors
    /// It is not what the schema says.
    pub fn decode(&self, payload: &[u8]) -> Result<Vec<u8>, Fault> {
        let malformed = |what: &str| Fault::new(Reason::Malformed, format!("is not the {what} that its schema says"));
        let value = match self {
            Self::Json => return Ok(payload.to_vec()),
            Self::Avro(schema) => schema.read(payload).map_err(|_| malformed("Avro record"))?,
            Self::Protobuf(file) => {
                let (message, rest) = message_of(file, payload).ok_or_else(|| malformed("Protobuf message"))?;
                let message = DynamicMessage::decode(message, rest).map_err(|_| malformed("Protobuf message"))?;
                serde_json::to_value(&message).map_err(|_| malformed("Protobuf message"))?
            }
        };
        Ok(value.to_string().into_bytes())
    }
}

/// The texts of one schema, as files that import one another.
struct Texts(BTreeMap<String, String>);

impl FileResolver for Texts {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match self.0.get(name) {
            Some(text) => File::from_source(name, text),
            None => Err(protox::Error::file_not_found(name)),
        }
    }
}

fn protobuf(text: &str, imports: &BTreeMap<String, String>) -> Result<FileDescriptor, String> {
    const MAIN: &str = "midan-registry-main.proto";
    let mut texts = imports.clone();
    texts.insert(MAIN.to_owned(), text.to_owned());
    let mut resolver = ChainFileResolver::new();
    resolver.add(GoogleFileResolver::new());
    resolver.add(Texts(texts));
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    compiler.include_imports(true).open_file(MAIN).map_err(|why| why.to_string())?;
    compiler.descriptor_pool().get_file_by_name(MAIN).ok_or_else(|| "the file is not in its own pool".to_owned())
}

/// The message that the record's indexes name: how many, then the way down from the file's messages; a single 0 is the first one.
fn message_of<'p>(file: &FileDescriptor, payload: &'p [u8]) -> Option<(MessageDescriptor, &'p [u8])> {
    let mut rest = payload;
    let count = zigzag(&mut rest)?;
    let mut indexes = Vec::new();
    for _ in 0..count.clamp(0, 64) {
        indexes.push(usize::try_from(zigzag(&mut rest)?).ok()?);
    }
    let (first, below) = match indexes.split_first() {
        Some((first, below)) => (*first, below),
        None => (0, &[][..]),
    };
    let message = file.messages().nth(first)?;
    let message = below.iter().try_fold(message, |message, index| message.child_messages().nth(*index))?;
    Some((message, rest))
}

fn zigzag(bytes: &mut &[u8]) -> Option<i64> {
    let raw = prost::encoding::decode_varint(bytes).ok()?;
    Some((raw >> 1) as i64 ^ -((raw & 1) as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AVRO: &str = r#"{"type":"record","name":"Scan","fields":[{"name":"id","type":"string"},{"name":"gate","type":"int"},{"name":"ok","type":"boolean"},{"name":"lane","type":["null","int"]},{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}}]}"#;
    const PROTO: &str = "syntax = \"proto3\"; package v; message Other { string x = 1; } message Scan { string id = 1; int32 gate = 2; message Deep { int64 at = 1; } Deep deep = 3; }";

    fn read(schema: &Schema, payload: &[u8]) -> Value {
        serde_json::from_slice(&schema.decode(payload).unwrap()).unwrap()
    }

    #[test]
    fn avro_becomes_json() {
        let schema = Schema::parse(None, AVRO, &BTreeMap::new()).unwrap();
        // Avro's binary form, by its specification: a text is its length (zigzag) and UTF-8, a union the branch and its value.
        let mut record = vec![6, b's', b'-', b'1', 24, 1, 2, 8];
        record.extend(zigzag_of(1_907_780_400_000));
        let value = read(&schema, &record);
        assert_eq!((value["id"].as_str(), value["gate"].as_i64(), value["ok"].as_bool(), value["lane"].as_i64()), (Some("s-1"), Some(12), Some(true), Some(4)));
        assert_eq!(value["at"].as_i64(), Some(1_907_780_400_000));
        for cut in 0..record.len() {
            assert_eq!(schema.decode(&record[..cut]).unwrap_err().reason, Reason::Malformed);
        }
        assert!(schema.decode(&[0xfe, 0xff, 0xff, 0xff, 0x0f]).is_err(), "a text of two gigabytes");
    }

    #[test]
    fn protobuf_names_its_message_by_indexes() {
        let schema = Schema::parse(Some("PROTOBUF"), PROTO, &BTreeMap::new()).unwrap();
        let second = read(&schema, &[2, 2, 10, 3, b's', b'-', b'1', 16, 12]);
        assert_eq!((second["id"].as_str(), second["gate"].as_i64()), (Some("s-1"), Some(12)));
        let first = read(&schema, &[0, 10, 1, b'x']);
        assert_eq!(first["x"], "x");
        let deep = read(&schema, &[4, 2, 0, 8, 5]);
        assert_eq!(deep["at"], "5");
        assert!(schema.decode(&[2, 20, 10]).is_err() && schema.decode(&[]).is_err());
    }

    #[test]
    fn imports_come_from_the_registry_and_googles_are_known() {
        let imports = BTreeMap::from([("place.proto".to_owned(), "syntax = \"proto3\"; message Place { int32 gate = 1; }".to_owned())]);
        let main = "syntax = \"proto3\"; import \"place.proto\"; import \"google/protobuf/timestamp.proto\"; message S { Place p = 1; google.protobuf.Timestamp t = 2; }";
        let schema = Schema::parse(Some("PROTOBUF"), main, &imports).unwrap();
        assert_eq!(read(&schema, &[0, 10, 2, 8, 7, 18, 2, 8, 0])["t"], "1970-01-01T00:00:00Z");
        assert!(Schema::parse(Some("PROTOBUF"), main, &BTreeMap::new()).is_err());
    }

    #[test]
    fn what_is_no_schema_or_no_frame_says_so() {
        assert!(Schema::parse(None, "{", &BTreeMap::new()).is_err());
        assert!(Schema::parse(Some("XSD"), "", &BTreeMap::new()).is_err());
        assert_eq!(framed(&[0, 0, 0, 1, 0, 9]), Ok((256, &[9][..])));
        assert!(framed(b"{}").is_err() && framed(&[0, 1]).is_err());
    }

    fn zigzag_of(number: i64) -> Vec<u8> {
        let (mut raw, mut bytes) = (((number << 1) ^ (number >> 63)) as u64, Vec::new());
        while raw >= 0x80 {
            bytes.push(raw as u8 | 0x80);
            raw >>= 7;
        }
        bytes.push(raw as u8);
        bytes
    }
}
