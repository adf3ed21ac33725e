"""Predicts the rows of Parquet files with Ray Data, by two workers that read the model once.

    python ray_predict.py model.safetensors rows/ predictions/
"""

import sys

import headsmith
import ray
from ray.data import ActorPoolStrategy


def main(model, rows, out):
    predicted = ray.data.read_parquet(rows).map_batches(
        headsmith.Predictor,
        fn_constructor_args=[model],
        compute=ActorPoolStrategy(size=2),
        # Workers that take whole cores leave none for the reading where there are no more cores than workers: the program would wait for ever.
        num_cpus=0.5,
        batch_size=16_384,
        batch_format="numpy",
    )
    predicted.write_parquet(out, mode="overwrite")


if __name__ == "__main__":
    main(*sys.argv[1:])
