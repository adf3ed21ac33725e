//! The command, as a user types it.

// A test may end at the first thing that is not as it must be, in the code it shares too.
#![allow(clippy::unwrap_used)]

#[path = "cli/aicrowd.rs"]
mod aicrowd;
#[path = "cli/auto.rs"]
mod auto;
#[path = "cli/cache.rs"]
mod cache;
#[path = "cli/conformal.rs"]
mod conformal;
#[path = "cli/events.rs"]
mod events;
#[path = "cli/export.rs"]
mod export;
#[path = "cli/failures.rs"]
mod failures;
#[cfg(unix)]
#[path = "cli/faults.rs"]
mod faults;
#[path = "cli/flags.rs"]
mod flags;
#[path = "cli/folds.rs"]
mod folds;
#[path = "cli/groups.rs"]
mod groups;
#[path = "cli/heads.rs"]
mod heads;
#[path = "cli/hold_back.rs"]
mod hold_back;
#[allow(dead_code)]
#[path = "../../aicrowd/tests/server.rs"]
mod http_server;
#[path = "cli/interrupt.rs"]
mod interrupt;
#[path = "cli/jobs.rs"]
mod jobs;
#[path = "cli/labels.rs"]
mod labels;
#[path = "cli/majority.rs"]
mod majority;
#[path = "cli/many_classes.rs"]
mod many_classes;
#[path = "cli/memory.rs"]
mod memory;
#[path = "cli/metric.rs"]
mod metric;
#[path = "cli/mlflow.rs"]
mod mlflow;
#[path = "cli/objects.rs"]
mod objects;
#[path = "cli/optuna.rs"]
mod optuna;
#[path = "cli/outputs.rs"]
mod outputs;
#[allow(dead_code)]
#[path = "cli/patience.rs"]
mod patience;
#[path = "cli/plain.rs"]
mod plain;
#[path = "cli/predictions.rs"]
mod predictions;
#[path = "cli/report.rs"]
mod report;
#[cfg(unix)]
#[path = "cli/serve.rs"]
mod serve;
#[cfg(unix)]
#[allow(dead_code)]
#[path = "../../study/tests/storages/server.rs"]
mod server;
#[path = "cli/several.rs"]
mod several;
#[path = "cli/shards.rs"]
mod shards;
#[path = "cli/split.rs"]
mod split;
#[path = "cli/tensorboard.rs"]
mod tensorboard;
#[path = "cli/tune.rs"]
mod tune;
#[path = "cli/weights.rs"]
mod weights;
#[path = "cli/world.rs"]
mod world;
