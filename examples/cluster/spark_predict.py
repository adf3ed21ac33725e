"""Predicts the rows of Parquet files with Spark, by a function over pandas' series that Arrow carries.

    python spark_predict.py model.safetensors rows/ predictions/
"""

import os
import sys
from collections.abc import Iterator

import headsmith
import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql.functions import pandas_udf


# Spark's workers are started by this interpreter, which has headsmith.
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)


def main(model, rows, out):
    # On a cluster --master of spark-submit takes the place of these two cores.
    spark = SparkSession.builder.master("local[2]").config("spark.sql.execution.arrow.maxRecordsPerBatch", 16_384).getOrCreate()

    @pandas_udf("string")
    def predict(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
        # Once for each task, not for each batch.
        predictor = headsmith.Predictor(model)
        for embeddings in batches:
            yield pd.Series(predictor({"embeddings": embeddings})["prediction"])

    frame = spark.read.parquet(rows)
    frame.select("id", predict("embeddings").alias("prediction")).write.mode("overwrite").parquet(out)
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
