//! Studies created by Optuna with several objectives, and with names for them.

use headsmith_study::storages::Scope;
use headsmith_study::{Direction, Kind, pareto_front};
use rusqlite::Connection;
use serde_json::json;

use crate::{begin, finish, open, study, url};

#[test]
fn a_study_of_several_objectives_is_read_with_all_its_values() {
    let folder = tempfile::tempdir().unwrap();
    let mut storage = open(&url(folder.path()));
    let id = study(storage.as_mut());
    for value in [0.5, 0.6, 0.7] {
        let trial = begin(storage.as_mut(), id);
        finish(storage.as_mut(), trial.id, value);
    }
    let database = Connection::open(folder.path().join("study.db")).unwrap();
    database
        .execute_batch(
            "INSERT INTO study_directions (direction, study_id, objective) VALUES ('MINIMIZE', 1, 1);
             INSERT INTO trial_values (trial_id, objective, value, value_type) VALUES
             (1, 1, 10.0, 'FINITE'), (2, 1, 12.0, 'FINITE'), (3, 1, NULL, 'INF_POS');
             INSERT INTO studies (study_name) VALUES ('incomplete');",
        )
        .unwrap();
    storage.set_study_attr(id, Scope::System, "study:metric_names", &json!(["accuracy", "size"])).unwrap();
    // Finished trials are cached: changes made behind the storage's back are seen only after reopening.
    let mut storage = open(&url(folder.path()));
    let record = storage.study("s").unwrap().unwrap();
    assert_eq!(
        (record.direction, record.further_directions.as_slice()),
        (Direction::Maximize, [Direction::Minimize].as_slice())
    );
    let names: Vec<_> = record.objectives().into_iter().map(|objective| objective.name.unwrap()).collect();
    assert_eq!(names, ["accuracy", "size"]);
    assert_eq!(storage.studies().unwrap(), std::slice::from_ref(&record));
    let error = storage.study("incomplete").unwrap_err();
    assert!(error.kind() == Kind::Conflict && error.to_string().contains("minimize"), "{error}");
    let trials = storage.trials(id).unwrap();
    assert_eq!(trials[2].values().collect::<Vec<_>>(), [0.7, f64::INFINITY]);
    let directions: Vec<Direction> = record.directions().collect();
    let front = pareto_front(&directions, &trials);
    assert_eq!(front.iter().map(|trial| trial.number).collect::<Vec<_>>(), [0, 1, 2]);
    let first_alone = pareto_front(&directions[..1], &trials);
    assert_eq!(first_alone.iter().map(|trial| trial.number).collect::<Vec<_>>(), [2]);
}
