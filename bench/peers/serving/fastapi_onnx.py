"""The peer of headsmith serve: the usual service of an ONNX model, onnxruntime behind FastAPI and uvicorn, with the same request and answer.

    MODEL=m.onnx uvicorn --app-dir bench/peers/serving fastapi_onnx:app --no-access-log --workers 1

uvicorn with uvloop and httptools (uvicorn[standard]), onnxruntime with one thread a request: the settings that gave most requests a second on two cores.
"""

import os

import numpy as np
import onnxruntime
from fastapi import FastAPI
from pydantic import BaseModel

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])
classes = [f"class {i}" for i in range(session.get_outputs()[0].shape[1])]
app = FastAPI()


class Rows(BaseModel):
    embeddings: list[list[float]]


@app.post("/predict")
def predict(rows: Rows):
    (proba,) = session.run(None, {"embeddings": np.array(rows.embeddings, dtype=np.float32)})
    labels = [classes[i] for i in proba.argmax(axis=1)]
    return {"labels": labels, "classes": classes, "probabilities": proba.tolist()}
