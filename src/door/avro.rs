//! Avro's binary form (specification 1.12, "Binary Encoding"), read into JSON by the schema with which it was written.
//!
//! Reading needs no schema resolution: the source's mapping takes the fields that it wants. The form is small, so it is read here; a record cannot announce more than it
//! holds, and neither a schema nor a record goes deeper than [`DEEPEST`].

use serde_json::{Map, Number, Value};
use std::collections::BTreeMap;

/// How deep types may lie in one another.
const DEEPEST: usize = 64;
/// The most items of a list or map; what has none of its bytes (nulls) could be announced without end.
const MOST_ITEMS: usize = 1 << 20;

/// A schema, and the types that it names.
#[derive(Debug)]
pub struct AvroSchema {
    root: Type,
    named: BTreeMap<String, Type>,
}

#[derive(Clone, Debug)]
enum Type {
    Null,
    Boolean,
    /// `int` and `long` are written alike.
    Long,
    Float,
    Double,
    Bytes,
    Text,
    Record(Vec<(String, Type)>),
    Enum(Vec<String>),
    Array(Box<Type>),
    Map(Box<Type>),
    Union(Vec<Type>),
    Fixed(usize),
    Named(String),
}

/// What is wrong with a record; its values are not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotSo;

impl AvroSchema {
    /// Reads a schema and those that it imports, which may name one another.
    ///
    /// # Errors
    /// One of them is no schema; the text says why.
    pub fn parse(text: &str, imports: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, String> {
        let mut named = BTreeMap::new();
        for import in imports {
            type_of(&json(import.as_ref())?, "", &mut named, 0)?;
        }
        let root = type_of(&json(text)?, "", &mut named, 0)?;
        let schema = Self { root, named };
        schema.every_name_is_known(&schema.root)?;
        schema.named.values().try_for_each(|kind| schema.every_name_is_known(kind))?;
        Ok(schema)
    }

    /// Reads a record, all of it.
    ///
    /// # Errors
    /// It is not what the schema says, is cut short, or goes on behind its end.
    pub fn read(&self, bytes: &[u8]) -> Result<Value, NotSo> {
        let mut rest = bytes;
        let value = self.value(&self.root, &mut rest, 0)?;
        if rest.is_empty() { Ok(value) } else { Err(NotSo) }
    }

    fn every_name_is_known(&self, kind: &Type) -> Result<(), String> {
        match kind {
            Type::Named(name) if !self.named.contains_key(name) => Err(format!("the type {name:?} is defined nowhere")),
            Type::Record(fields) => fields.iter().try_for_each(|(_, kind)| self.every_name_is_known(kind)),
            Type::Union(branches) => branches.iter().try_for_each(|kind| self.every_name_is_known(kind)),
            Type::Array(items) | Type::Map(items) => self.every_name_is_known(items),
            _ => Ok(()),
        }
    }

    fn value(&self, kind: &Type, rest: &mut &[u8], depth: usize) -> Result<Value, NotSo> {
        if depth > DEEPEST {
            return Err(NotSo);
        }
        match kind {
            Type::Null => Ok(Value::Null),
            Type::Boolean => match take(rest, 1)? {
                [0] => Ok(Value::from(false)),
                [1] => Ok(Value::from(true)),
                _ => Err(NotSo),
            },
            Type::Long => long(rest).map(Value::from),
            Type::Float => real(f64::from(f32::from_le_bytes(array(rest)?))),
            Type::Double => real(f64::from_le_bytes(array(rest)?)),
            Type::Bytes => Ok(hex(sized(rest)?)),
            Type::Fixed(size) => Ok(hex(take(rest, *size)?)),
            Type::Text => text(rest).map(Value::from),
            Type::Enum(symbols) => symbols.get(index(rest)?).map(|symbol| Value::from(symbol.as_str())).ok_or(NotSo),
            Type::Union(branches) => self.value(branches.get(index(rest)?).ok_or(NotSo)?, rest, depth + 1),
            Type::Named(name) => self.value(self.named.get(name).ok_or(NotSo)?, rest, depth + 1),
            Type::Record(fields) => {
                let read = |(name, kind): &(String, Type)| Ok((name.clone(), self.value(kind, rest, depth + 1)?));
                fields.iter().map(read).collect::<Result<Map<_, _>, _>>().map(Value::Object)
            }
            Type::Array(items) => {
                let mut list = Vec::new();
                blocks(rest, &mut |rest| {
                    list.push(self.value(items, rest, depth + 1)?);
                    Ok(())
                })?;
                Ok(Value::Array(list))
            }
            Type::Map(values) => {
                let mut map = Map::new();
                blocks(rest, &mut |rest| {
                    map.insert(text(rest)?, self.value(values, rest, depth + 1)?);
                    Ok(())
                })?;
                Ok(Value::Object(map))
            }
        }
    }
}

fn json(text: &str) -> Result<Value, String> {
    // A primitive type may stand by its bare name.
    serde_json::from_str(text).or_else(|_| if text.chars().all(char::is_alphanumeric) { Ok(Value::from(text)) } else { Err("is not JSON".to_owned()) })
}

fn type_of(schema: &Value, space: &str, named: &mut BTreeMap<String, Type>, depth: usize) -> Result<Type, String> {
    if depth > DEEPEST {
        return Err("its types lie too deep in one another".to_owned());
    }
    match schema {
        Value::String(name) => Ok(primitive(name).unwrap_or_else(|| Type::Named(full_name(name, space)))),
        Value::Array(branches) => branches.iter().map(|branch| type_of(branch, space, named, depth + 1)).collect::<Result<_, _>>().map(Type::Union),
        Value::Object(fields) => complex(fields, space, named, depth),
        _ => Err("a type must be a name, a list or an object".to_owned()),
    }
}

fn complex(fields: &Map<String, Value>, space: &str, named: &mut BTreeMap<String, Type>, depth: usize) -> Result<Type, String> {
    let Some(kind) = fields.get("type") else { return Err("a type has no \"type\"".to_owned()) };
    let below = |key: &str| fields.get(key).ok_or_else(|| format!("a type has no {key:?}"));
    let Some(kind) = kind.as_str() else { return type_of(kind, space, named, depth + 1) };
    match kind {
        "array" => Ok(Type::Array(Box::new(type_of(below("items")?, space, named, depth + 1)?))),
        "map" => Ok(Type::Map(Box::new(type_of(below("values")?, space, named, depth + 1)?))),
        "record" | "error" | "enum" | "fixed" => {
            let name = below("name")?.as_str().ok_or("a name must be a text")?;
            let space = fields.get("namespace").and_then(Value::as_str).unwrap_or(space);
            let name = full_name(name, space);
            let inner = name.rsplit_once('.').map_or("", |(space, _)| space).to_owned();
            let read = match kind {
                "enum" => Type::Enum(texts(below("symbols")?)?),
                "fixed" => Type::Fixed(below("size")?.as_u64().and_then(|size| usize::try_from(size).ok()).ok_or("a size must be a whole number")?),
                _ => Type::Record(record_fields(below("fields")?, &inner, named, depth)?),
            };
            named.insert(name.clone(), read);
            Ok(Type::Named(name))
        }
        // A logical type stands on a primitive one, as which it is read.
        name => Ok(primitive(name).unwrap_or_else(|| Type::Named(full_name(name, space)))),
    }
}

fn record_fields(list: &Value, space: &str, named: &mut BTreeMap<String, Type>, depth: usize) -> Result<Vec<(String, Type)>, String> {
    let list = list.as_array().ok_or("\"fields\" must be a list")?;
    let field = |field: &Value| {
        let name = field.get("name").and_then(Value::as_str).ok_or("a field has no name")?;
        let kind = field.get("type").ok_or("a field has no type")?;
        Ok((name.to_owned(), type_of(kind, space, named, depth + 1)?))
    };
    list.iter().map(field).collect()
}

fn primitive(name: &str) -> Option<Type> {
    match name {
        "null" => Some(Type::Null),
        "boolean" => Some(Type::Boolean),
        "int" | "long" => Some(Type::Long),
        "float" => Some(Type::Float),
        "double" => Some(Type::Double),
        "bytes" => Some(Type::Bytes),
        "string" => Some(Type::Text),
        _ => None,
    }
}

fn full_name(name: &str, space: &str) -> String {
    if name.contains('.') || space.is_empty() { name.to_owned() } else { format!("{space}.{name}") }
}

fn texts(list: &Value) -> Result<Vec<String>, String> {
    let list = list.as_array().ok_or("\"symbols\" must be a list")?;
    list.iter().map(|text| text.as_str().map(str::to_owned).ok_or_else(|| "a symbol must be a text".to_owned())).collect()
}

/// The blocks of a list or map: a count, negative where the block's size in bytes follows it; a block of none is the end.
fn blocks(rest: &mut &[u8], item: &mut dyn FnMut(&mut &[u8]) -> Result<(), NotSo>) -> Result<(), NotSo> {
    let mut items = 0_usize;
    loop {
        let count = long(rest)?;
        if count == 0 {
            return Ok(());
        }
        if count < 0 {
            long(rest)?;
        }
        items = items.saturating_add(usize::try_from(count.unsigned_abs()).map_err(|_| NotSo)?);
        if items > MOST_ITEMS {
            return Err(NotSo);
        }
        for _ in 0..count.unsigned_abs() {
            item(rest)?;
        }
    }
}

/// A number in zigzag and variable length, at most ten bytes.
fn long(rest: &mut &[u8]) -> Result<i64, NotSo> {
    let raw = prost::encoding::decode_varint(rest).map_err(|_| NotSo)?;
    Ok((raw >> 1) as i64 ^ -((raw & 1) as i64))
}

fn index(rest: &mut &[u8]) -> Result<usize, NotSo> {
    usize::try_from(long(rest)?).map_err(|_| NotSo)
}

fn take<'b>(rest: &mut &'b [u8], size: usize) -> Result<&'b [u8], NotSo> {
    let (taken, left) = rest.split_at_checked(size).ok_or(NotSo)?;
    *rest = left;
    Ok(taken)
}

fn sized<'b>(rest: &mut &'b [u8]) -> Result<&'b [u8], NotSo> {
    let size = index(rest)?;
    take(rest, size)
}

fn array<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], NotSo> {
    take(rest, N)?.try_into().map_err(|_| NotSo)
}

fn text(rest: &mut &[u8]) -> Result<String, NotSo> {
    std::str::from_utf8(sized(rest)?).map(str::to_owned).map_err(|_| NotSo)
}

/// JSON has no number for what is not finite: it reads as nothing.
fn real(number: f64) -> Result<Value, NotSo> {
    Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
}

fn hex(bytes: &[u8]) -> Value {
    Value::from(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(schema: &str, bytes: &[u8]) -> Result<Value, NotSo> {
        AvroSchema::parse(schema, [""; 0]).unwrap_or_else(|why| panic!("{schema}: {why}")).read(bytes)
    }

    #[test]
    fn the_examples_of_the_specification_are_read() {
        // "Binary Encoding": 64 is 80 01; "foo" is 06 66 6f 6f; the record {a: 27, b: "foo"} is 36 06 66 6f 6f; [3, 27] is 04 06 36 00.
        assert_eq!(read("\"long\"", &[0x80, 0x01]), Ok(Value::from(64)));
        assert_eq!(read("\"long\"", &[0x7f]), Ok(Value::from(-64)));
        assert_eq!(read("string", &[6, b'f', b'o', b'o']), Ok(Value::from("foo")));
        let record = r#"{"type":"record","name":"test","fields":[{"name":"a","type":"long"},{"name":"b","type":"string"}]}"#;
        assert_eq!(read(record, &[0x36, 6, b'f', b'o', b'o']), Ok(serde_json::json!({ "a": 27, "b": "foo" })));
        assert_eq!(read(r#"{"type":"array","items":"long"}"#, &[4, 6, 0x36, 0]), Ok(serde_json::json!([3, 27])));
        assert_eq!(read(r#"["null","string"]"#, &[0]), Ok(Value::Null));
        assert_eq!(read(r#"["null","string"]"#, &[2, 2, b'a']), Ok(Value::from("a")));
    }

    #[test]
    fn every_type_is_read() {
        let schema = r#"{"type":"record","name":"R","namespace":"v","fields":[
            {"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},{"name":"again","type":"E"},{"name":"f","type":"float"},{"name":"d","type":"double"},
            {"name":"x","type":{"type":"fixed","name":"X","size":2}},{"name":"y","type":"bytes"},{"name":"m","type":{"type":"map","values":"boolean"}},
            {"name":"next","type":["null","v.R"]},{"name":"t","type":{"type":"long","logicalType":"timestamp-millis"}}]}"#;
        let mut bytes = vec![2, 0];
        bytes.extend(1.5_f32.to_le_bytes());
        bytes.extend(f64::NAN.to_le_bytes());
        // A block with its size in bytes, as writers put it that let readers skip.
        bytes.extend([0xab, 0xcd, 2, 0xff, 1, 6, 2, b'k', 1, 0, 0, 8]);
        let value = read(schema, &bytes).unwrap();
        assert_eq!(value, serde_json::json!({ "e": "B", "again": "A", "f": 1.5, "d": null, "x": "abcd", "y": "ff", "m": { "k": true }, "next": null, "t": 4 }));
    }

    #[test]
    fn what_is_not_so_is_refused_and_announces_nothing_without_end() {
        let list = r#"{"type":"array","items":"null"}"#;
        assert_eq!(read(list, &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0]), Err(NotSo));
        assert_eq!(read("\"bytes\"", &[0xfe, 0xff, 0xff, 0xff, 0x0f]), Err(NotSo));
        assert_eq!(read("\"boolean\"", &[2]), Err(NotSo));
        assert_eq!(read("\"null\"", &[0]), Err(NotSo), "it goes on behind its end");
        let endless = r#"{"type":"record","name":"R","fields":[{"name":"next","type":"R"}]}"#;
        assert_eq!(read(endless, &[]), Err(NotSo));
        for wrong in ["{", "{}", "7", r#"{"type":"array"}"#, r#""unknown.Type""#, r#"{"type":"record","name":"R"}"#] {
            assert!(AvroSchema::parse(wrong, [""; 0]).is_err(), "{wrong}");
        }
        let deep = format!("{}\"null\"{}", r#"{"type":"array","items":"#.repeat(100), "}".repeat(100));
        assert!(AvroSchema::parse(&deep, [""; 0]).is_err());
    }

    #[test]
    fn imported_types_are_known_by_name() {
        let place = r#"{"type":"record","name":"Place","namespace":"v","fields":[{"name":"gate","type":"int"}]}"#;
        let schema = AvroSchema::parse(r#"{"type":"record","name":"S","namespace":"v","fields":[{"name":"p","type":"Place"}]}"#, [place]).unwrap();
        assert_eq!(schema.read(&[24]), Ok(serde_json::json!({ "p": { "gate": 12 } })));
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let schema = r#"{"type":"record","name":"R","fields":[{"name":"l","type":{"type":"array","items":["null","R","string"]}},{"name":"m","type":{"type":"map","values":"double"}}]}"#;
            let _ = read(schema, &bytes);
        }
    }
}
