//! The schema of an Arrow stream: its columns, their types, and the metadata of pandas and Hugging Face.

use super::damaged;
use super::flat::FlatTable;
use super::message::Message;
use crate::columnar::{Field, MAX_PRECISION, StoredType, spark};
use crate::{Error, Result};

/// The deepest nesting of a type.
const MAX_DEPTH: usize = 32;

/// The minimum number of bytes of a column in a schema.
const MIN_FIELD: usize = 16;

/// A column, or a part of one.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) kind: ArrowType,
    pub(super) children: Vec<Node>,
    /// The ID of its dictionary and the type of the indices, if its values are in a dictionary.
    pub(super) dictionary: Option<(i64, ArrowType)>,
}

/// A type: the layout of the values and, for those that are read, their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ArrowType {
    Null,
    Int {
        bytes: usize,
        signed: bool,
    },
    /// Floats with this number of bytes.
    Float(usize),
    Bool,
    /// Text, or bytes of unknown meaning; `wide` with 64-bit offsets.
    Text {
        is_text: bool,
        wide: bool,
    },
    /// Text or bytes in views.
    View {
        is_text: bool,
    },
    /// Bytes of fixed length.
    Bytes(usize),
    Decimal {
        bytes: usize,
        precision: i32,
        scale: i32,
    },
    List {
        wide: bool,
    },
    FixedList(usize),
    ListView,
    Struct,
    Map,
    Union {
        dense: bool,
    },
    RunEnds,
    /// Dates and the like, with this number of bytes.
    Time {
        bytes: usize,
        name: &'static str,
    },
}

/// The contents of a schema.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) nodes: Vec<Node>,
    metadata: Vec<(String, String)>,
}

impl Schema {
    /// # Errors
    /// If the message is no schema of a supported kind.
    pub(super) fn read(message: &Message) -> Result<Schema> {
        let schema = message.header()?;
        if schema.i16(0, 0) != 0 {
            return Err(Error::format("the Arrow data are big-endian; expected the lowest byte first"));
        }
        let mut budget = message.len() / MIN_FIELD;
        let nodes =
            nodes(&schema, 1, MAX_DEPTH, &mut budget).ok_or_else(|| damaged("its schema cannot be read"))?;
        let pairs = schema.tables(2).unwrap_or_default();
        let pair = |pair: &FlatTable<'_>| Some((pair.text(0)?.to_owned(), pair.text(1)?.to_owned()));
        Ok(Schema { nodes, metadata: pairs.iter().filter_map(pair).collect() })
    }

    /// The metadata under a key.
    pub(super) fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.iter().find(|(other, _)| other == key).map(|(_, value)| value.as_str())
    }

    /// The columns as fields of a columnar file.
    pub(super) fn fields(&self) -> Vec<Field> {
        self.nodes.iter().enumerate().map(|(column, node)| field(node, column)).collect()
    }
}

/// The columns in field `at` of a table.
fn nodes(table: &FlatTable<'_>, at: usize, depth: usize, budget: &mut usize) -> Option<Vec<Node>> {
    let tables = table.tables(at)?;
    *budget = budget.checked_sub(tables.len())?;
    tables.iter().map(|field| node(field, depth.checked_sub(1)?, budget)).collect()
}

fn node(field: &FlatTable<'_>, depth: usize, budget: &mut usize) -> Option<Node> {
    let dictionary = match field.table(4) {
        None => None,
        Some(encoding) => {
            let index =
                encoding.table(1).map_or(Some(ArrowType::Int { bytes: 4, signed: true }), |int| int_of(&int));
            Some((encoding.i64(0, 0), index?))
        }
    };
    Some(Node {
        name: field.text(0).unwrap_or_default().to_owned(),
        kind: kind(field.u8(2, 0), &field.table(3)?)?,
        children: nodes(field, 5, depth, budget)?,
        dictionary,
    })
}

fn int_of(int: &FlatTable<'_>) -> Option<ArrowType> {
    let bits = int.i32(0, 0);
    let bytes = [8, 16, 32, 64].contains(&bits).then_some(bits as usize / 8)?;
    Some(ArrowType::Int { bytes, signed: int.u8(1, 0) != 0 })
}

/// The type with this number in `Schema.fbs`, and its details from the table `of`.
fn kind(number: u8, of: &FlatTable<'_>) -> Option<ArrowType> {
    let time = |bytes, name| ArrowType::Time { bytes, name };
    let size = |value: i32| usize::try_from(value).ok();
    Some(match number {
        1 => ArrowType::Null,
        2 => int_of(of)?,
        3 => ArrowType::Float(*[2, 4, 8].get(usize::try_from(of.i16(0, 0)).ok()?)?),
        4 => ArrowType::Text { is_text: false, wide: false },
        5 => ArrowType::Text { is_text: true, wide: false },
        6 => ArrowType::Bool,
        7 => {
            let bits = of.i32(2, 128);
            let bytes = [32, 64, 128, 256].contains(&bits).then_some(bits as usize / 8)?;
            ArrowType::Decimal { bytes, precision: of.i32(0, 0), scale: of.i32(1, 0) }
        }
        8 => time(if of.i16(0, 1) == 0 { 4 } else { 8 }, "date"),
        9 => time(if of.i32(1, 32) == 32 { 4 } else { 8 }, "time"),
        10 => time(8, "timestamp"),
        11 => time(*[4, 8, 16].get(usize::try_from(of.i16(0, 0)).ok()?)?, "interval"),
        12 => ArrowType::List { wide: false },
        13 => ArrowType::Struct,
        14 => ArrowType::Union { dense: of.i16(0, 0) == 1 },
        15 => ArrowType::Bytes(size(of.i32(0, 0))?),
        16 => ArrowType::FixedList(size(of.i32(0, 0))?),
        17 => ArrowType::Map,
        18 => time(8, "duration"),
        19 => ArrowType::Text { is_text: false, wide: true },
        20 => ArrowType::Text { is_text: true, wide: true },
        21 => ArrowType::List { wide: true },
        22 => ArrowType::RunEnds,
        23 => ArrowType::View { is_text: false },
        24 => ArrowType::View { is_text: true },
        25 | 26 => ArrowType::ListView,
        _ => return None,
    })
}

impl Node {
    /// The column, or part of one, whose values are in the dictionary with this ID.
    pub(super) fn of_dictionary(&self, id: i64) -> Option<&Node> {
        match self.dictionary {
            Some((own, _)) if own == id => Some(self),
            _ => self.children.iter().find_map(|child| child.of_dictionary(id)),
        }
    }

    /// The type of its values.
    pub(super) fn stored(&self) -> StoredType {
        match self.kind {
            ArrowType::Float(2) => StoredType::Half,
            ArrowType::Float(_) => StoredType::Float,
            ArrowType::Bool => StoredType::Bool,
            ArrowType::Int { signed: true, .. } => StoredType::Signed,
            ArrowType::Int { signed: false, .. } => StoredType::Unsigned,
            // A column of only nulls, as pandas writes a column of None.
            ArrowType::Null | ArrowType::Text { .. } | ArrowType::View { .. } => StoredType::Text,
            ArrowType::Bytes(_) => StoredType::Bytes,
            ArrowType::Decimal { precision, scale, .. } if precision <= MAX_PRECISION => {
                u32::try_from(scale).map_or(StoredType::Other, StoredType::Decimal)
            }
            _ => StoredType::Other,
        }
    }

    fn is_list(&self) -> bool {
        self.dictionary.is_none() && matches!(self.kind, ArrowType::List { .. } | ArrowType::FixedList(_))
    }

    /// Its type in words.
    fn type_name(&self) -> String {
        let names = || self.children.iter().map(|child| child.name.as_str()).collect::<Vec<_>>().join(", ");
        match self.kind {
            ArrowType::Null => "null".to_owned(),
            ArrowType::Int { bytes, signed } => format!("{}int{}", if signed { "" } else { "u" }, bytes * 8),
            ArrowType::Float(bytes) => format!("float{}", bytes * 8),
            ArrowType::Bool => "bool".to_owned(),
            ArrowType::Text { is_text: true, .. } | ArrowType::View { is_text: true } => "text".to_owned(),
            ArrowType::Text { .. } | ArrowType::View { .. } | ArrowType::Bytes(_) => "bytes".to_owned(),
            ArrowType::Decimal { precision, scale, .. } => format!("decimal({precision}, {scale})"),
            ArrowType::List { .. } | ArrowType::FixedList(_) | ArrowType::ListView => self
                .children
                .first()
                .map_or("list".to_owned(), |child| format!("list of {}", child.type_name())),
            ArrowType::Struct => format!("struct of {}", names()),
            ArrowType::Map => "map".to_owned(),
            ArrowType::Union { .. } => "union".to_owned(),
            ArrowType::RunEnds => "runs".to_owned(),
            ArrowType::Time { name, .. } => name.to_owned(),
        }
    }
}

/// A column; its number is that of the leaf to read.
fn field(node: &Node, column: usize) -> Field {
    if let Some(vector) = spark_vector(node, column) {
        return vector;
    }
    let field = Field {
        name: node.name.clone(),
        is_index: node.name.starts_with("__index_level_"),
        type_name: node.type_name(),
        ..Field::unread()
    };
    let inner = if node.is_list() { node.children.first() } else { None };
    let innermost = inner.filter(|inner| inner.is_list()).and_then(|inner| inner.children.first());
    match (inner, innermost) {
        (None, _) if node.stored() != StoredType::Other => {
            let is_bytes = matches!(
                node.kind,
                ArrowType::Text { is_text: false, .. }
                    | ArrowType::View { is_text: false }
                    | ArrowType::Bytes(_)
            );
            Field { leaf: Some(column), stored: node.stored(), value_level: 1, is_bytes, ..field }
        }
        // The definition levels of a list: null, empty, a null element, a value.
        (Some(element), None) if element.stored() != StoredType::Other => Field {
            leaf: Some(column),
            stored: element.stored(),
            element_level: Some(2),
            value_level: 3,
            ..field
        },
        (Some(_), Some(element)) if !matches!(element.stored(), StoredType::Other | StoredType::Text) => {
            Field {
                leaf: Some(column),
                stored: element.stored(),
                element_level: Some(4),
                value_level: 5,
                nested: true,
                ..field
            }
        }
        _ => field,
    }
}

/// A vector of Spark ML.
fn spark_vector(node: &Node, column: usize) -> Option<Field> {
    let [_, _, _, _] = node.children[..] else { return None };
    let mut parts =
        node.children.iter().map(|part| field(part, column)).filter(|_| node.kind == ArrowType::Struct);
    let parts = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    let whole = Field { name: node.name.clone(), type_name: node.type_name(), ..Field::unread() };
    spark(whole, parts)
}
