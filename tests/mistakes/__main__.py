"""`python -m tests.mistakes`: the score of the corpus, and every miss."""

from __future__ import annotations

import sys

from tests.mistakes.corpus import judge, read


def main() -> None:
    verdicts = [judge(mistake) for mistake in read()]
    misses = [verdict for verdict in verdicts if not verdict.right]
    for verdict in misses:
        print(f"{verdict.mistake.name}")
        for wanting in verdict.wanting:
            print(f"    {wanting}")
        if "-v" in sys.argv:
            for error in verdict.errors[:1]:
                label = error.primary.text if error.primary is not None else ""
                print(f"    {error.code} {error.message} | {label} | {' / '.join(error.help)}")
    right = len(verdicts) - len(misses)
    print(f"{right} of {len(verdicts)} right, {right / len(verdicts):.1%}")


if __name__ == "__main__":
    main()
