//! The schema of an Arrow stream: its columns, their types, and what pandas and Hugging Face say of them.

use super::damaged;
use super::flat::Table;
use super::message::Message;
use crate::columnar::{Field, MAX_PRECISION, Stored, spark};
use crate::{Error, Result};

/// The deepest nesting of a type.
const MAX_DEPTH: usize = 32;

/// The fewest bytes that a column takes in a schema.
const MIN_FIELD: usize = 16;

/// A column, or a part of one.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) children: Vec<Node>,
    /// The dictionary that its numbers point into, and the type of these.
    pub(super) dictionary: Option<(i64, Kind)>,
}

/// A type as far as it says how values are laid out, and what they are where they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Int {
        bytes: usize,
        signed: bool,
    },
    /// Floats of so many bytes.
    Float(usize),
    Bool,
    /// Text, or bytes that say nothing of what they are; `wide` with offsets of 64 bits.
    Text {
        is_text: bool,
        wide: bool,
    },
    /// The same by views.
    View {
        is_text: bool,
    },
    /// Bytes of a fixed number.
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
    /// Dates and the like, of so many bytes.
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
    /// When the message is no schema of a kind that is read.
    pub(super) fn read(message: &Message) -> Result<Schema> {
        let schema = message.header()?;
        if schema.i16(0, 0) != 0 {
            return Err(Error::format("the Arrow data are big-endian; expected the lowest byte first"));
        }
        let mut budget = message.len() / MIN_FIELD;
        let nodes =
            nodes(&schema, 1, MAX_DEPTH, &mut budget).ok_or_else(|| damaged("its schema cannot be read"))?;
        let pairs = schema.tables(2).unwrap_or_default();
        let pair = |pair: &Table<'_>| Some((pair.text(0)?.to_owned(), pair.text(1)?.to_owned()));
        Ok(Schema { nodes, metadata: pairs.iter().filter_map(pair).collect() })
    }

    /// The metadata under a key.
    pub(super) fn said(&self, key: &str) -> Option<&str> {
        self.metadata.iter().find(|(other, _)| other == key).map(|(_, value)| value.as_str())
    }

    /// The columns as those of any file of columns.
    pub(super) fn fields(&self) -> Vec<Field> {
        self.nodes.iter().enumerate().map(|(column, node)| field(node, column)).collect()
    }
}

/// The columns in field `at` of a table.
fn nodes(table: &Table<'_>, at: usize, depth: usize, budget: &mut usize) -> Option<Vec<Node>> {
    let tables = table.tables(at)?;
    *budget = budget.checked_sub(tables.len())?;
    tables.iter().map(|field| node(field, depth.checked_sub(1)?, budget)).collect()
}

fn node(field: &Table<'_>, depth: usize, budget: &mut usize) -> Option<Node> {
    let dictionary = match field.table(4) {
        None => None,
        Some(encoding) => {
            let index =
                encoding.table(1).map_or(Some(Kind::Int { bytes: 4, signed: true }), |int| int_of(&int));
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

fn int_of(int: &Table<'_>) -> Option<Kind> {
    let bits = int.i32(0, 0);
    let bytes = [8, 16, 32, 64].contains(&bits).then_some(bits as usize / 8)?;
    Some(Kind::Int { bytes, signed: int.u8(1, 0) != 0 })
}

/// The type of a number in `Schema.fbs`, and the table that says more of it.
fn kind(number: u8, of: &Table<'_>) -> Option<Kind> {
    let time = |bytes, name| Kind::Time { bytes, name };
    let size = |value: i32| usize::try_from(value).ok();
    Some(match number {
        1 => Kind::Null,
        2 => int_of(of)?,
        3 => Kind::Float(*[2, 4, 8].get(usize::try_from(of.i16(0, 0)).ok()?)?),
        4 => Kind::Text { is_text: false, wide: false },
        5 => Kind::Text { is_text: true, wide: false },
        6 => Kind::Bool,
        7 => {
            let bits = of.i32(2, 128);
            let bytes = [32, 64, 128, 256].contains(&bits).then_some(bits as usize / 8)?;
            Kind::Decimal { bytes, precision: of.i32(0, 0), scale: of.i32(1, 0) }
        }
        8 => time(if of.i16(0, 1) == 0 { 4 } else { 8 }, "date"),
        9 => time(if of.i32(1, 32) == 32 { 4 } else { 8 }, "time"),
        10 => time(8, "timestamp"),
        11 => time(*[4, 8, 16].get(usize::try_from(of.i16(0, 0)).ok()?)?, "interval"),
        12 => Kind::List { wide: false },
        13 => Kind::Struct,
        14 => Kind::Union { dense: of.i16(0, 0) == 1 },
        15 => Kind::Bytes(size(of.i32(0, 0))?),
        16 => Kind::FixedList(size(of.i32(0, 0))?),
        17 => Kind::Map,
        18 => time(8, "duration"),
        19 => Kind::Text { is_text: false, wide: true },
        20 => Kind::Text { is_text: true, wide: true },
        21 => Kind::List { wide: true },
        22 => Kind::RunEnds,
        23 => Kind::View { is_text: false },
        24 => Kind::View { is_text: true },
        25 | 26 => Kind::ListView,
        _ => return None,
    })
}

impl Node {
    /// The column, or the part of one, whose values are in the dictionary of this number.
    pub(super) fn of_dictionary(&self, id: i64) -> Option<&Node> {
        match self.dictionary {
            Some((own, _)) if own == id => Some(self),
            _ => self.children.iter().find_map(|child| child.of_dictionary(id)),
        }
    }

    /// The type of its values.
    pub(super) fn stored(&self) -> Stored {
        match self.kind {
            Kind::Float(2) => Stored::Half,
            Kind::Float(_) => Stored::Float,
            Kind::Bool => Stored::Bool,
            Kind::Int { signed: true, .. } => Stored::Signed,
            Kind::Int { signed: false, .. } => Stored::Unsigned,
            // A column of nulls alone, as pandas writes one of None.
            Kind::Null | Kind::Text { .. } | Kind::View { .. } => Stored::Text,
            Kind::Bytes(_) => Stored::Bytes,
            Kind::Decimal { precision, scale, .. } if precision <= MAX_PRECISION => {
                u32::try_from(scale).map_or(Stored::Other, Stored::Decimal)
            }
            _ => Stored::Other,
        }
    }

    fn is_list(&self) -> bool {
        self.dictionary.is_none() && matches!(self.kind, Kind::List { .. } | Kind::FixedList(_))
    }

    /// Its type in words.
    fn type_name(&self) -> String {
        let names = || self.children.iter().map(|child| child.name.as_str()).collect::<Vec<_>>().join(", ");
        match self.kind {
            Kind::Null => "null".to_owned(),
            Kind::Int { bytes, signed } => format!("{}int{}", if signed { "" } else { "u" }, bytes * 8),
            Kind::Float(bytes) => format!("float{}", bytes * 8),
            Kind::Bool => "bool".to_owned(),
            Kind::Text { is_text: true, .. } | Kind::View { is_text: true } => "text".to_owned(),
            Kind::Text { .. } | Kind::View { .. } | Kind::Bytes(_) => "bytes".to_owned(),
            Kind::Decimal { precision, scale, .. } => format!("decimal({precision}, {scale})"),
            Kind::List { .. } | Kind::FixedList(_) | Kind::ListView => self
                .children
                .first()
                .map_or("list".to_owned(), |child| format!("list of {}", child.type_name())),
            Kind::Struct => format!("struct of {}", names()),
            Kind::Map => "map".to_owned(),
            Kind::Union { .. } => "union".to_owned(),
            Kind::RunEnds => "runs".to_owned(),
            Kind::Time { name, .. } => name.to_owned(),
        }
    }
}

/// A column; its number is the leaf that is read for it.
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
        (None, _) if node.stored() != Stored::Other => {
            let is_bytes = matches!(
                node.kind,
                Kind::Text { is_text: false, .. } | Kind::View { is_text: false } | Kind::Bytes(_)
            );
            Field { leaf: Some(column), stored: node.stored(), value_level: 1, is_bytes, ..field }
        }
        // The levels of lists: null, empty, an element that is null, a value.
        (Some(element), None) if element.stored() != Stored::Other => Field {
            leaf: Some(column),
            stored: element.stored(),
            element_level: Some(2),
            value_level: 3,
            ..field
        },
        (Some(_), Some(element)) if !matches!(element.stored(), Stored::Other | Stored::Text) => Field {
            leaf: Some(column),
            stored: element.stored(),
            element_level: Some(4),
            value_level: 5,
            nested: true,
            ..field
        },
        _ => field,
    }
}

/// A vector of Spark ML.
fn spark_vector(node: &Node, column: usize) -> Option<Field> {
    let [_, _, _, _] = node.children[..] else { return None };
    let mut parts =
        node.children.iter().map(|part| field(part, column)).filter(|_| node.kind == Kind::Struct);
    let parts = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    let whole = Field { name: node.name.clone(), type_name: node.type_name(), ..Field::unread() };
    spark(whole, parts)
}
