//! The records of the HParams page: `tensorboard/plugins/hparams/plugin_data.proto` and `api.proto`.
//!
//! An [`experiment`] lists the hyperparameters and metrics. Each trial is a session with its own folder:
//! [`session_start`] has its hyperparameters, [`session_end`] its final status; its metrics are scalars of that
//! folder, of which the page shows the last. The page reads only the first record of each kind in a folder.

use std::collections::BTreeMap;

use prost::{Enumeration, Message, Oneof};

use crate::proto::{Tensor, Value};

/// The tag of [`session_end`].
pub const SESSION_END: &str = "_hparams_/session_end_info";

/// The hyperparameters and metrics of an experiment's trials.
///
/// `created` is in seconds since 1970.
pub fn experiment(hparams: &[HParam], metrics: &[Metric], created: f64) -> Value {
    let experiment = proto::Experiment {
        created,
        hparams: hparams.iter().map(HParam::to_proto).collect(),
        metrics: metrics.iter().map(Metric::to_proto).collect(),
    };
    record("_hparams_/experiment", proto::PluginContent::Experiment(experiment))
}

/// A trial's hyperparameters, to be written when it starts. `trial` is its name in the page's table; `started` is in
/// seconds since 1970.
pub fn session_start(hparams: &BTreeMap<String, Setting>, trial: &str, started: f64) -> Value {
    let hparams = hparams.iter().map(|(name, setting)| (name.clone(), setting.to_proto())).collect();
    record(
        "_hparams_/session_start_info",
        proto::PluginContent::Start(proto::Start { hparams, group: trial.to_owned(), started }),
    )
}

/// The final status of a trial. `ended` is in seconds since 1970. A trial without such a record, because it is running
/// or its process was killed, has an unknown status.
pub fn session_end(status: Status, ended: f64) -> Value {
    record(SESSION_END, proto::PluginContent::End(proto::End { status: status.into(), ended }))
}

/// A hyperparameter.
#[derive(Debug, Clone, PartialEq)]
pub struct HParam {
    /// Its name.
    pub name: String,
    /// Its possible values.
    pub domain: Domain,
}

/// The possible values of a hyperparameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Domain {
    /// A number from the first to the second.
    Interval(f64, f64),
    /// One of these values.
    Discrete(Vec<Setting>),
}

/// The value of a hyperparameter in a trial.
#[derive(Debug, Clone, PartialEq)]
pub enum Setting {
    /// A number; also integers, because the page has no other type.
    Number(f64),
    /// A boolean.
    Bool(bool),
    /// A text.
    Text(String),
}

/// A scalar in the trials' folders that the page shows next to the hyperparameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// The scalar's tag.
    pub tag: String,
    /// The title of its column.
    pub name: String,
    /// Its description.
    pub description: String,
}

/// The final status of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum Status {
    /// Unknown.
    Unknown = 0,
    /// It completed.
    Success = 1,
    /// It failed.
    Failure = 2,
    /// It is running.
    Running = 3,
}

fn record(tag: &str, what: proto::PluginContent) -> Value {
    let content = proto::PluginData { version: 0, what: Some(what) }.encode_to_vec();
    Value::new(tag, "hparams", content, Tensor::floats(&[0], []))
}

impl HParam {
    fn to_proto(&self) -> proto::HParamInfo {
        let (kind, discrete, interval) = match &self.domain {
            Domain::Interval(min, max) => {
                (proto::Kind::Number, None, Some(proto::Interval { min: *min, max: *max }))
            }
            Domain::Discrete(settings) => {
                let kind = settings.first().map_or(proto::Kind::Unset, Setting::kind);
                let values = settings.iter().map(Setting::to_proto).collect();
                (kind, Some(proto::ListValue { values }), None)
            }
        };
        proto::HParamInfo { name: self.name.clone(), kind: kind.into(), discrete, interval }
    }
}

impl Setting {
    fn kind(&self) -> proto::Kind {
        match self {
            Setting::Number(_) => proto::Kind::Number,
            Setting::Bool(_) => proto::Kind::Bool,
            Setting::Text(_) => proto::Kind::Text,
        }
    }

    fn to_proto(&self) -> proto::Any {
        let any = match self {
            Setting::Number(number) => proto::AnyKind::Number(*number),
            Setting::Bool(flag) => proto::AnyKind::Bool(*flag),
            Setting::Text(text) => proto::AnyKind::Text(text.clone()),
        };
        proto::Any { kind: Some(any) }
    }
}

impl Metric {
    fn to_proto(&self) -> proto::MetricInfo {
        proto::MetricInfo {
            name: Some(proto::MetricName { group: String::new(), tag: self.tag.clone() }),
            display_name: self.name.clone(),
            description: self.description.clone(),
        }
    }
}

mod proto {
    use super::{BTreeMap, Enumeration, Message, Oneof};

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct PluginData {
        #[prost(int32, tag = "1")]
        pub(super) version: i32,
        #[prost(oneof = "PluginContent", tags = "2, 3, 4")]
        pub(super) what: Option<PluginContent>,
    }

    #[derive(Clone, PartialEq, Oneof)]
    pub(super) enum PluginContent {
        #[prost(message, tag = "2")]
        Experiment(Experiment),
        #[prost(message, tag = "3")]
        Start(Start),
        #[prost(message, tag = "4")]
        End(End),
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Experiment {
        #[prost(double, tag = "3")]
        pub(super) created: f64,
        #[prost(message, repeated, tag = "4")]
        pub(super) hparams: Vec<HParamInfo>,
        #[prost(message, repeated, tag = "5")]
        pub(super) metrics: Vec<MetricInfo>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct HParamInfo {
        #[prost(string, tag = "1")]
        pub(super) name: String,
        #[prost(enumeration = "Kind", tag = "4")]
        pub(super) kind: i32,
        #[prost(message, optional, tag = "5")]
        pub(super) discrete: Option<ListValue>,
        #[prost(message, optional, tag = "6")]
        pub(super) interval: Option<Interval>,
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
    #[repr(i32)]
    pub(super) enum Kind {
        Unset = 0,
        Text = 1,
        Bool = 2,
        Number = 3,
    }

    #[derive(Clone, Copy, PartialEq, Message)]
    pub(super) struct Interval {
        #[prost(double, tag = "1")]
        pub(super) min: f64,
        #[prost(double, tag = "2")]
        pub(super) max: f64,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct MetricInfo {
        #[prost(message, optional, tag = "1")]
        pub(super) name: Option<MetricName>,
        #[prost(string, tag = "3")]
        pub(super) display_name: String,
        #[prost(string, tag = "4")]
        pub(super) description: String,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct MetricName {
        #[prost(string, tag = "1")]
        pub(super) group: String,
        #[prost(string, tag = "2")]
        pub(super) tag: String,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Start {
        #[prost(btree_map = "string, message", tag = "1")]
        pub(super) hparams: BTreeMap<String, Any>,
        #[prost(string, tag = "4")]
        pub(super) group: String,
        #[prost(double, tag = "5")]
        pub(super) started: f64,
    }

    #[derive(Clone, Copy, PartialEq, Message)]
    pub(super) struct End {
        #[prost(enumeration = "super::Status", tag = "1")]
        pub(super) status: i32,
        #[prost(double, tag = "2")]
        pub(super) ended: f64,
    }

    /// `google.protobuf.Value`.
    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Any {
        #[prost(oneof = "AnyKind", tags = "2, 3, 4")]
        pub(super) kind: Option<AnyKind>,
    }

    #[derive(Clone, PartialEq, Oneof)]
    pub(super) enum AnyKind {
        #[prost(double, tag = "2")]
        Number(f64),
        #[prost(string, tag = "3")]
        Text(String),
        #[prost(bool, tag = "4")]
        Bool(bool),
    }

    /// `google.protobuf.ListValue`.
    #[derive(Clone, PartialEq, Message)]
    pub(super) struct ListValue {
        #[prost(message, repeated, tag = "1")]
        pub(super) values: Vec<Any>,
    }
}
