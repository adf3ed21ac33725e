//! Fitted models as ONNX files: one graph from rows of features to labels and probabilities, with transforms, ensembles, calibration and offsets.
//!
//! The operations come from the model ([`Model::graph`]); this crate translates them and knows no head. Before anything is written, the bytes are run by `tract`, and the
//! results compared with the model's own. See `docs/formats/onnx.md`.

mod error;
mod metadata;
mod proto;
mod trees;
mod verify;
mod writer;

use headsmith_heads::graph::Graph;
use headsmith_kernels::Pool;
use headsmith_model::Model;
use prost::Message;
use tract_onnx::pb::{ModelProto, OperatorSetIdProto};

pub use error::{Error, Result};
pub use trees::MlOpset;
pub use verify::{Verified, run};

/// The version of the operators: runtimes since 2022 have it.
const OPSET: i64 = 17;
/// The most bytes that protocol buffers hold.
const MOST_BYTES: usize = i32::MAX as usize;
/// The most nodes of trees that are written without being asked for.
pub const MOST_TREE_NODES: usize = 3_000_000;

/// The options of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// The version of the operators of trees.
    pub ml_opset: MlOpset,
    /// Whether trees may have more than [`MOST_TREE_NODES`] nodes.
    pub force: bool,
}

/// A model as an ONNX file.
#[derive(Debug, Clone)]
pub struct Export {
    /// The file.
    pub bytes: Vec<u8>,
    graph: Graph,
    ml_opset: MlOpset,
}

/// Translates a model.
///
/// # Errors
/// When trees are larger than the options allow, or the file would be larger than protocol buffers can be.
pub fn export(model: &Model, options: Options) -> Result<Export> {
    let (graph, proba, decided) = model.graph();
    let n_tree_nodes = graph.n_tree_nodes();
    if n_tree_nodes > MOST_TREE_NODES && !options.force {
        return Err(Error::choice(format!(
            "the trees have {n_tree_nodes} nodes, about {} MB in ONNX, and runtimes load more than {MOST_TREE_NODES} slowly: fit fewer or smaller \
             trees, or export all the same with --force",
            n_tree_nodes * 30 / 1_000_000
        )));
    }
    let hash = metadata::hash(model)?;
    let proto = ModelProto {
        ir_version: match options.ml_opset {
            MlOpset::Three => 8,
            MlOpset::Five => 10,
        },
        opset_import: vec![
            OperatorSetIdProto { domain: String::new(), version: OPSET },
            OperatorSetIdProto { domain: trees::DOMAIN.to_owned(), version: options.ml_opset.number() },
        ],
        producer_name: "headsmith".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        metadata_props: metadata::entries(model, hash),
        graph: Some(writer::write(&graph, (proba, decided), model.classes(), options.ml_opset)),
        ..ModelProto::default()
    };
    let n_bytes = proto.encoded_len();
    if n_bytes > MOST_BYTES {
        return Err(Error::new(format!(
            "the ONNX file would have {n_bytes} bytes, and protocol buffers hold at most {MOST_BYTES}: fit a smaller model (fewer trees, \
             rows or features)"
        )));
    }
    Ok(Export { bytes: proto.encode_to_vec(), graph, ml_opset: options.ml_opset })
}

impl Export {
    /// The bytes of training rows in it.
    pub fn n_training_bytes(&self) -> usize {
        self.graph.n_training_bytes()
    }

    /// The nodes of its trees.
    pub fn n_tree_nodes(&self) -> usize {
        self.graph.n_tree_nodes()
    }

    /// Whether its trees compare values that other runtimes may round otherwise, after a transform that mixes features.
    pub fn compares_rounded(&self) -> bool {
        self.graph.compares_rounded()
    }

    /// Runs the file and compares its predictions with those of `model`, which was exported. Nothing is compared (`None`) where the file has operators that
    /// `tract` has not: trees of version 5.
    ///
    /// # Errors
    /// When it cannot be run, or predicts something else.
    pub fn verify(&self, model: &Model, pool: &Pool) -> Result<Option<Verified>> {
        if self.ml_opset == MlOpset::Five && self.n_tree_nodes() > 0 {
            return Ok(None);
        }
        verify::verify(&self.bytes, model, &self.graph, pool).map(Some)
    }
}
