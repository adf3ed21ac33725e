"""Labels and probabilities of rows by an exported model: python predict.py MODEL.onnx ROWS.npy"""
import sys

import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession(sys.argv[1])
rows = np.load(sys.argv[2]).astype(np.float32)
label, probabilities = session.run(["label", "probabilities"], {"embeddings": rows})
for name, row in zip(label, probabilities):
    print(name, *row)
