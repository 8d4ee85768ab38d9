"""Log-likelihoods of answers under the unsteered model in the store."""

from steertui.store.records import AnswerLoglik
from steertui.store.rows import digest, inserter, now
from steertui.store.vectors import Vectors


class AnswerLogliks(Vectors):
    """Reading and writing of the log-likelihoods of answers."""

    def unscored_texts(self, experiment: str, model: str) -> dict[str, str]:
        """Return a model's texts without a log-likelihood by trial key, in planned order.

        `model` is the model's identity (`Model.sha256`).
        """
        sql = """SELECT e.trial, g.text FROM experiment_trials AS e
            JOIN trials AS t ON t.key = e.trial JOIN generations AS g ON g.trial = e.trial
            WHERE e.experiment = ? AND t.model = ? AND NOT EXISTS
                (SELECT 1 FROM answer_logliks AS l WHERE l.trial = e.trial)
            ORDER BY e.place"""
        return dict(self.tuples(sql, [experiment, model]))

    def add_answer_loglik(self, key: str, score: AnswerLoglik) -> None:
        """Add an answer's log-likelihood and its prompt; it is ignored if the trial has one."""
        prompt = digest(score.prompt)
        with self._writing() as db:
            insert = inserter(db)
            insert("prompts", [(prompt, score.prompt)])
            insert("answer_logliks", [(key, prompt, score.tokens, score.loglik, now())])
