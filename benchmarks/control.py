"""Labels of the control set predicted without reading: from length, first words and bags of words.

    python -m benchmarks.control        # needs scikit-learn, which is not a dependency

Accuracy over 168 answers, cross-validated by scenario (one is left out at a time) and by category.
Chance is 25 %. A low figure says that a judge needs more than length and vocabulary.
"""

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from steertui.core.scenario import load_pack
from steertui.judge.control import load_control_set

WORD = r"(?u)\b\w[\w']*\b"
"""A word as the vectorizers count it; one letter is enough."""


def sizes(texts: list[str]) -> np.ndarray:
    """Return words, their logarithm, characters and characters per word, shape (answers, 4)."""
    words = np.array([len(text.split()) for text in texts], dtype=float)
    characters = np.array([len(text) for text in texts], dtype=float)
    return np.stack([words, np.log(words), characters, characters / words], axis=1)


def regression(strength: float = 1) -> LogisticRegression:
    return LogisticRegression(C=strength, max_iter=3000)


def main() -> None:
    answers = load_control_set().answer
    category = {scenario.id: scenario.category for scenario in load_pack("starter")}
    texts = [answer.answer for answer in answers]
    labels = np.array([answer.label.value for answer in answers])
    scenarios = np.array([answer.scenario for answer in answers])
    categories = np.array([category[answer.scenario] for answer in answers])
    openings = [" ".join(text.split()[:3]) for text in texts]
    present = CountVectorizer(token_pattern=WORD, binary=True)
    counted = CountVectorizer(token_pattern=WORD)
    weighted = TfidfVectorizer(token_pattern=WORD, sublinear_tf=True)
    pairs = TfidfVectorizer(token_pattern=WORD, sublinear_tf=True, ngram_range=(1, 2))
    rows: list[tuple[str, Pipeline, object]] = [
        ("words", make_pipeline(StandardScaler(), regression()), sizes(texts)[:, :2]),
        ("words and characters", make_pipeline(StandardScaler(), regression()), sizes(texts)),
        ("first three words", make_pipeline(present, regression()), openings),
        ("bag of words, presence", make_pipeline(present, regression()), texts),
        ("bag of words, counts", make_pipeline(counted, regression(0.1)), texts),
        ("bag of words, naive Bayes", make_pipeline(counted, MultinomialNB(alpha=0.5)), texts),
        ("bag of words, tf-idf", make_pipeline(weighted, regression(10)), texts),
        ("words and pairs, tf-idf, SVM", make_pipeline(pairs, LinearSVC()), texts),
    ]
    print(f"{'':30} by scenario  by category")
    for name, model, features in rows:
        scores = [
            np.mean(
                cross_val_predict(model, features, labels, groups=groups, cv=LeaveOneGroupOut())
                == labels
            )
            for groups in (scenarios, categories)
        ]
        print(f"{name:30} {scores[0]:11.3f} {scores[1]:12.3f}")


if __name__ == "__main__":
    main()
