"""Two tasks of Ray on one study in PostgreSQL: each claims trials until there are as many as asked for, and sees what the other found.

    python ray_tune.py train.parquet val.parquet postgresql+psycopg://USER@HOST/DATABASE
"""

import sys

import headsmith
import ray


@ray.remote(num_cpus=1)
def work(train, val, storage):
    """A share of the study; its content is the same for all, so that they resume one another's."""
    mine = []

    def record(event):
        if event["event"] == "trial_ended":
            mine.append(event["number"])

    study = headsmith.tune(train, val, head="mlp", params={"epochs": 10}, trials=24, storage=storage, name="sentences", n_jobs=1, callbacks=[record])
    return mine, study.best_value


def main(train, val, storage):
    shares = ray.get([work.remote(train, val, storage) for _ in range(2)])
    for i, (mine, best) in enumerate(shares):
        print(f"task {i}: {len(mine)} trials {sorted(mine)}, best {best:.4f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
