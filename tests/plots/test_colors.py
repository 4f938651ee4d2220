"""Colors of topics can be told apart, also by color-blind people, on white and on black."""

from itertools import combinations

import numpy as np
import pytest

from llmtopics.plots import topic_colors

# Machado, Oliveira and Fernandes 2009, of linear RGB, full severity
VIEWS = {
    "normal": np.eye(3),
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
}


def linear(color):
    part = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


def oklab(rgb):
    to_lms = [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
    to_lab = [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
    return np.array(to_lab) @ np.cbrt(np.array(to_lms) @ np.clip(rgb, 0, 1))


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(("n", "apart"), [(6, 0.07), (10, 0.06), (20, 0.04)])
def test_colors_can_be_told_apart(view, n, apart):
    seen = [oklab(np.array(VIEWS[view]) @ linear(color)) for color in topic_colors(n)]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > apart


@pytest.mark.parametrize(
    ("n", "on_white", "on_black"), [(20, 2.1, 3.2), (100, 1.7, 2.2)]
)
def test_colors_have_contrast_to_white_and_to_black(n, on_white, on_black):
    for color in topic_colors(n):
        luminance = linear(color) @ [0.2126, 0.7152, 0.0722]
        assert 1.05 / (luminance + 0.05) > on_white, color
        assert (luminance + 0.05) / 0.05 > on_black, color


def test_the_color_of_a_topic_does_not_depend_on_how_many_there_are():
    assert topic_colors(300)[:7] == topic_colors(7)
    assert len(set(topic_colors(100))) == 100
    assert topic_colors(300)[100:200] == topic_colors(100)
    assert topic_colors(0) == []


@pytest.mark.parametrize("n", [-1, 2.0, "3", True, None, "long" * 1000])
def test_a_number_of_topics_that_is_none_is_refused(n):
    with pytest.raises(ValueError, match=r"^n_topics must be a whole number.{,100}$"):
        topic_colors(n)
