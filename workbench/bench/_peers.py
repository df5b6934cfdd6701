"""The yardsticks of `bench index`: LangChain and LlamaIndex take in the same folder, with our embedder and Chroma.

Neither is part of the program; a figure is left out where its library is not installed (the extra `bench`).
Each is driven as its own introduction does it, every setting at its default, the embedder in float32.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from workbench.index.embed import Embedder

# Characters of a piece and of its overlap in LangChain's introductions; its class has 4,000, of which this embedder
# would read a quarter.
LANGCHAIN_PIECE, LANGCHAIN_OVERLAP = 1000, 200


@dataclass(frozen=True, slots=True)
class Ingested:
    """What taking in a folder came to."""

    seconds: float  # reading, cutting, embedding and adding; loading the embedder is not counted
    pieces: int
    tokens: int  # that the embedder read; what it cut off is not counted
    cut: int  # pieces of which it read only the beginning


def there_are() -> tuple[str, ...]:
    """Which of the two can be measured here."""
    needed = {
        "LangChain": ("langchain_chroma", "langchain_huggingface", "langchain_community", "langchain_text_splitters"),
        "LlamaIndex": ("llama_index.core", "llama_index.embeddings.huggingface", "llama_index.vector_stores.chroma"),
    }
    return tuple(name for name, modules in needed.items() if all(_installed(each) for each in modules))


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # its package is not there
        return False


def take_in(name: str, folder: Path, embedder: Embedder, store: Path) -> Ingested:
    """Have one of them take in a folder of texts."""
    return {"LangChain": _langchain, "LlamaIndex": _llama_index}[name](folder, embedder, store)


def counted(seconds: float, texts: Sequence[str], embedder: Embedder) -> Ingested:
    """What the embedder read of some pieces."""
    lengths = embedder.count(list(texts))
    read = sum(min(length, embedder.limit) for length in lengths)
    return Ingested(seconds, len(lengths), read, sum(length > embedder.limit for length in lengths))


def _langchain(folder: Path, embedder: Embedder, store: Path) -> Ingested:
    from langchain_chroma import Chroma
    from langchain_community.document_loaders import DirectoryLoader, TextLoader
    from langchain_huggingface import HuggingFaceEmbeddings
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    model = HuggingFaceEmbeddings(model_name=str(embedder.folder))
    model.embed_documents(["ready"])
    started = time.perf_counter()
    documents = DirectoryLoader(str(folder), loader_cls=TextLoader).load()
    splitter = RecursiveCharacterTextSplitter(chunk_size=LANGCHAIN_PIECE, chunk_overlap=LANGCHAIN_OVERLAP)
    pieces = splitter.split_documents(documents)
    Chroma.from_documents(pieces, model, persist_directory=str(store))
    return counted(time.perf_counter() - started, [each.page_content for each in pieces], embedder)


def _llama_index(folder: Path, embedder: Embedder, store: Path) -> Ingested:
    import chromadb
    from llama_index.core import SimpleDirectoryReader, StorageContext, VectorStoreIndex
    from llama_index.core.schema import MetadataMode
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding
    from llama_index.vector_stores.chroma import ChromaVectorStore

    model = HuggingFaceEmbedding(model_name=str(embedder.folder))
    model.get_text_embedding("ready")
    collection = chromadb.PersistentClient(str(store)).create_collection("peer")
    seen: list[str] = []

    class Kept(ChromaVectorStore):  # type: ignore[misc, unused-ignore]
        def add(self, nodes: Any, **options: Any) -> Any:
            seen.extend(node.get_content(metadata_mode=MetadataMode.EMBED) for node in nodes)
            return super().add(nodes, **options)

    started = time.perf_counter()
    documents = SimpleDirectoryReader(str(folder), recursive=True).load_data()
    context = StorageContext.from_defaults(vector_store=Kept(chroma_collection=collection))
    VectorStoreIndex.from_documents(documents, storage_context=context, embed_model=model)
    return counted(time.perf_counter() - started, seen, embedder)
