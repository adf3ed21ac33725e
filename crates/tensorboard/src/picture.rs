//! Pictures of evaluations, drawn pixel by pixel.

mod canvas;
mod confusion;
mod reliability;

pub use canvas::{Canvas, Color};
pub use confusion::confusion_matrix;
pub use reliability::{Bin, reliability};
