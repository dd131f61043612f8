"""Score next-token predictors on documents, and similarities by a teacher's.

Without --teacher: next-token accuracy. With it, also as fuzzy induction with the teacher itself as
metric, and how well each metric finds the teacher's nearest neighbours.
"""

import argparse
from itertools import islice
from pathlib import Path
from typing import Any

from gim.cli.options import (
    above_zero,
    add_model,
    add_weighted,
    load_model,
    load_weighted,
    natural,
    positive,
)
from gim.errors import InputError


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("files", nargs="+")
    add_model(parser)
    parser.add_argument("--models", nargs="*", default=[], help="causal LMs to compare with")
    parser.add_argument("--by-text", nargs="*", default=[], help="LMs with other tokenizers")
    parser.add_argument("--other-encoders", nargs="*", default=[], help="more rows of fuzzy, GIM")
    parser.add_argument("--metrics", nargs="*", default=[], help="random last-token bag static")
    parser.add_argument("--teacher", default=None, help="a causal LM as metric, and as reference")
    parser.add_argument("--teacher-tokenizer", default=None, help="default: in its directory")
    parser.add_argument("--distance", default="symmetric_kl", choices=("symmetric_kl", "jsd"))
    parser.add_argument("--temperature", type=above_zero, default=None, help="of that distance")
    add_weighted(parser, "also evidence weighed, and n-grams to compare with")
    parser.add_argument("--stride", type=positive, default=512, help="score every n-th position")
    parser.add_argument(
        "--positions", type=positive, default=None, help="sample so many a document"
    )
    parser.add_argument("--rounds", type=positive, default=8, help="of 128 queries, with --teacher")
    parser.add_argument("--seed", type=natural, default=0, help="of samples and of `random`")
    parser.add_argument(
        "--other-taus", type=positive, nargs="*", default=[], help="more rows of GIM"
    )
    parser.add_argument(
        "--documents", type=positive, default=None, help="only the first n documents"
    )
    parser.add_argument("--out", required=True, help="directory of the tables and the plot")


def run(args: argparse.Namespace) -> None:
    """Evaluate, write the tables, print the summary."""
    from gim.causal.model import check_vocabulary, load_causal
    from gim.evaluation.evaluate import evaluate
    from gim.evaluation.report import FILES, SETTINGS, write_evaluation
    from gim.files import check_output_folder
    from gim.text.corpus import read_documents
    from gim.text.hub import name_of

    check_output_folder(args.out, SETTINGS, FILES)
    model = load_model(args)
    teacher = _teacher(args)
    metrics = _metrics(args, model, teacher)
    causal = {name_of(name): load_causal(name, args.device) for name in args.models}
    for name, network in zip(args.models, causal.values(), strict=True):
        check_vocabulary(name, network, model.tokenizer)
    texts = _texts(args, model) if teacher is not None else []
    result = evaluate(
        islice(read_documents(args.files), args.documents),
        model,
        stride=args.stride,
        causal=causal,
        by_text=_by_text(args),
        metrics=metrics,
        other_taus=args.other_taus,
        positions=args.positions,
        seed=args.seed,
        weighted=load_weighted(args, model),
        progress=True,
    )
    retrieval = None
    if teacher is not None:
        from gim.evaluation.retrieval import compare_metrics

        judged = {name: metric for name, metric in metrics.items() if metric is not teacher}
        if model.metric is not None:
            judged = {"encoder": model.metric, **judged}
        retrieval = compare_metrics(
            texts, model.tokenizer, judged, teacher, rounds=args.rounds, seed=args.seed
        )
    summary = write_evaluation(result, args.out, _settings(args, model), retrieval)
    print(summary.to_string(index=False))
    if retrieval is not None:
        print(retrieval.to_string(index=False))


def _texts(args: argparse.Namespace, model: Any) -> list[Any]:
    """Documents as ids, for what needs long ones."""
    from gim.evaluation.retrieval import long_enough
    from gim.text.corpus import read_documents

    documents = islice(read_documents(args.files), args.documents)
    return long_enough([model.tokenizer.encode(document.text) for document in documents])


def _teacher(args: argparse.Namespace) -> Any:
    if args.teacher is None:
        return None
    from gim.causal.model import load_causal
    from gim.causal.teacher import TeacherMetric
    from gim.text.tokenizer import load_tokenizer

    tokenizer = load_tokenizer(args.teacher_tokenizer or args.teacher)
    network = load_causal(args.teacher, args.device)
    return TeacherMetric(network, tokenizer, args.distance, args.temperature)


def _by_text(args: argparse.Namespace) -> dict[str, Any]:
    """Language models that are compared by text, each with its own tokenizer."""
    from gim.causal.model import load_causal
    from gim.evaluation.by_text import OtherModel
    from gim.text.hub import name_of
    from gim.text.tokenizer import load_tokenizer

    tokenizers = {name: load_tokenizer(name) for name in args.by_text}
    return {
        name_of(name): OtherModel(load_causal(name, args.device), tokenizer)
        for name, tokenizer in tokenizers.items()
    }


def _metrics(args: argparse.Namespace, model: Any, teacher: Any) -> dict[str, Any]:
    """What else fuzzy induction is tried with, by name."""
    from gim.encoder.encoder import Encoder
    from gim.evaluation.baselines import baseline
    from gim.induction.fuzzy import as_metric

    found = {}
    for path in args.other_encoders:
        found[Path(path).name] = as_metric(Encoder.from_pretrained(path, args.device))
    if args.metrics and model.metric is None:
        raise InputError("--metrics are compared with an encoder: pass --encoder")
    for name in args.metrics:
        found[name] = baseline(name, model.metric.encoder, teacher, args.seed)
    return found | ({} if teacher is None else {"teacher": teacher})


def _settings(args: argparse.Namespace, model: Any) -> dict[str, Any]:
    from gim.text.hub import name_of, revision_of

    named = [*args.models, *args.by_text, *([args.teacher] if args.teacher else [])]
    return {
        "files": [Path(f).name for f in args.files],
        "tokenizer": model.tokenizer.name,
        "index": [Path(p).name for p in args.index],
        "encoder": Path(args.encoder).name if args.encoder else "shipped",
        "teacher": args.teacher and name_of(args.teacher),
        "distance": args.distance if args.teacher else None,
        "temperature": args.temperature if args.teacher else None,
        "tau": model.tau,
        "context": model.window,
        "weighted": args.weighted and Path(args.weighted).name,
        "stride": args.stride,
        "positions_a_document": args.positions,
        "revisions": {name_of(name): revision_of(name) for name in named},
        "seed": args.seed,
    }
