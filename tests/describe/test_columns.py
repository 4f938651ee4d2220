"""Tables with texts, pictures and sounds in their columns."""

import pickle
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

pytest.importorskip("rapidocr")
pytest.importorskip("faster_whisper")

from llmtopics import (
    AudioTranscriber,
    GibbsLDA,
    ImageDescriber,
    make_describer,
)

LINE = "Shares fell sharply"


@pytest.fixture
def columns():
    return {
        "text": "passthrough",
        "image": ImageDescriber(),
        "audio": AudioTranscriber(),
    }


@pytest.fixture
def table(strip, sport, tmp_path):
    path = tmp_path / "strip.png"
    strip.save(path)
    return {
        "other": [1, 2, 3, 4],
        "audio": [None, str(sport), None, None],
        "text": ["Markets", "A final", "Only words", None],
        "image": [str(path), None, None, None],
    }


FRAMES = {
    "pandas": pd.DataFrame,
    "pandas with NA": lambda d: pd.DataFrame(d).astype({"text": "string"}),
    "pandas with NaN": lambda d: pd.DataFrame(
        {name: [np.nan if x is None else x for x in cells] for name, cells in d.items()}
    ),
    "polars": pl.DataFrame,
}


@pytest.mark.parametrize("frame", FRAMES)
def test_rows_become_one_text_with_cells_missing(columns, table, frame):
    describer = make_describer(columns)
    texts = describer.fit_transform(FRAMES[frame](table))
    assert texts[0] == f"Markets\n{LINE}"
    assert texts[1].startswith("A final\nThe striker scored")
    assert texts[2:] == ["Only words", ""]
    assert describer.transform(FRAMES[frame](table)) == texts
    assert list(describer.get_feature_names_out()) == ["text"]


def test_any_model_reads_the_texts_in_a_pipeline(columns, table):
    model = make_pipeline(
        make_describer(columns, separator=" "),
        CountVectorizer(),
        GibbsLDA(2, max_iter=5, random_state=0),
    )
    X = pd.DataFrame(table)
    mixtures = model.fit_transform(X)
    assert mixtures.shape == (4, 2)
    assert "sharply" in model[1].vocabulary_
    assert "striker" in model[1].vocabulary_
    twin = clone(model[:1]).set_output(transform="pandas")
    assert twin.fit_transform(X) == model[0].transform(X)
    for container in ["pandas", "polars"]:
        with config_context(transform_output=container):
            assert clone(model[0]).fit_transform(X) == model[0].transform(X)
    twin = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(twin.transform(X), mixtures)


def test_errors_name_the_row_of_the_table_and_can_be_kept(columns, table):
    X = pd.DataFrame(table)
    X.loc[3, "image"] = "/no/such/file.png"
    describer = make_describer(columns)
    with pytest.raises(
        ValueError,
        match=r"Column 'image': .*row 3: there is no file /no/such/file\.png",
    ):
        describer.fit(X)
    describer.set_params(columns__image__describer__on_error="keep")
    texts = describer.fit_transform(X)
    assert texts[0] == f"Markets\n{LINE}"
    assert texts[3] == ""
    fitted = describer["columns"].named_transformers_["image"].describer_
    assert list(fitted.errors_) == [3]
    assert fitted.report_ == {"described": 1, "empty": 0, "missing": 2, "failed": 1}


def test_cells_that_are_not_texts_raise_with_their_row(table):
    X = pd.DataFrame({**table, "text": ["a", 3, "b", None]}, dtype=object)
    with pytest.raises(
        ValueError, match=r"Column 'text': make_describer.*row 1 holds 3"
    ):
        make_describer({"text": "passthrough"}).fit(X)


def test_transformers_of_texts_describe_columns_too(table):
    upper = FunctionTransformer(lambda texts: [text.upper() for text in texts])
    texts = make_describer({"text": upper}).fit_transform(pd.DataFrame(table))
    assert texts == ["MARKETS", "A FINAL", "ONLY WORDS", ""]


def test_bad_columns_and_describers_are_refused(columns, table):
    for bad in [{}, [ImageDescriber()], "image"]:
        with pytest.raises(ValueError, match="columns must be a mapping"):
            make_describer(bad)
    with pytest.raises(
        ValueError, match="'image' has 'ocr', which is not a transformer"
    ):
        make_describer({"image": "ocr"})
    with pytest.raises(ValueError, match=r"photo|not a column"):
        make_describer({"photo": ImageDescriber()}).fit(pd.DataFrame(table))
    for name in [0, "image__path", "verbose", "remainder", "n_jobs"]:
        with pytest.raises(ValueError, match=f"name {name!r} cannot be used: rename"):
            make_describer({name: "passthrough"})
    for bad in [table, list(table), np.array([["a"]])]:
        with pytest.raises(ValueError, match="a DataFrame with the columns text, im"):
            make_describer(columns).fit(bad)
    with pytest.raises(NotFittedError):
        make_describer(columns).transform(pd.DataFrame(table))


def test_a_transformer_that_drops_rows_is_named(table):
    first = FunctionTransformer(lambda texts: texts[:1])
    with pytest.raises(ValueError, match=r"Column 'text': Fun.* 1 texts for 4 cells"):
        make_describer({"text": first}).fit(pd.DataFrame(table))


def test_every_kind_of_missing_cell_is_missing():
    cells = pd.Series(
        [None, np.float32("nan"), float("nan"), pd.NA, pd.NaT], dtype=object
    )
    describer = make_describer({"text": "passthrough", "image": ImageDescriber()})
    assert (
        describer.fit_transform(pd.DataFrame({"text": cells, "image": cells}))
        == [""] * 5
    )
    fitted = describer["columns"].named_transformers_["image"].describer_
    assert fitted.outcomes_.tolist() == ["missing"] * 5


@pytest.mark.slow
def test_the_example_finds_pages_and_clips_in_the_topics_of_their_articles(capsys):
    pytest.importorskip("matplotlib").use("agg")
    example = Path(__file__).parents[2] / "examples" / "plot_pictures_and_sounds.py"
    found = runpy.run_path(str(example))
    table, first, n = found["table"], found["first"], len(found["articles"])
    assert "5 of 5 topics hold" in capsys.readouterr().out
    sections = found["corpus"].target[::5]
    main = [np.bincount(sections[first[:n] == k]).argmax() for k in range(5)]
    names = found["corpus"].target_names
    named = {"film": "entertainment", "sport": "sports", "technology": "tech"}
    for what, k in zip(table["what"][n:], first[n:], strict=True):
        subject = what.rpartition(" ")[2]
        assert names[main[k]] == named.get(subject, subject)
