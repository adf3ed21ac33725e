// Labels and probabilities of rows by an exported model: node predict.mjs MODEL.onnx < ROWS.json
import { readFileSync } from "node:fs";
import ort from "onnxruntime-node";

const rows = JSON.parse(readFileSync(0, "utf8"));
const session = await ort.InferenceSession.create(process.argv[2]);
const embeddings = new ort.Tensor("float32", rows.flat(), [rows.length, rows[0].length]);
const { label, probabilities } = await session.run({ embeddings });
const n = probabilities.dims[1];
label.data.forEach((name, i) => console.log(name, ...probabilities.data.slice(i * n, (i + 1) * n)));
