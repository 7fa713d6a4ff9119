"""A text of one's own: any text, any script, large ones in little memory, wide vocabularies without one-hot matrices."""
import codecs
import gzip
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from rnn_scratch.cli import rnn_scratch_train
from rnn_scratch.corpus import TextFiles, find_texts, load_corpus_files, number_tokens, read_pieces
from rnn_scratch.text import load_corpus_text, read_text


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.lists(st.text(), min_size=1, max_size=4), st.sampled_from(("char", "word")), st.integers(1, 7), st.integers(1, 3))
def test_any_files_give_the_indices_of_their_text(texts, token, size, min_freq):
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / str(i) for i in range(len(texts))]
        for path, text in zip(paths, texts):
            path.write_bytes(("two letters " + text).encode("utf-8"))
        read = [read_text(path) for path in paths]
        whole = "".join(text.removesuffix("\n") + "\n" for text in read[:-1]) + read[-1]
        assert ["".join(read_pieces(path, size)) for path in paths] == read
        ids, vocab = load_corpus_files(paths, token=token)
        corpus, same = load_corpus_text([whole], token=token)
        assert ids.tolist() == corpus and vocab.idx_to_token == same.idx_to_token and vocab.token_freqs == same.token_freqs
        if max(freq for _, freq in vocab.token_freqs) >= min_freq:
            rare, fewer = load_corpus_files(paths, token=token, min_freq=min_freq)
            frequent = {token for token, freq in vocab.token_freqs if freq >= min_freq}
            assert set(fewer.idx_to_token[1:]) == frequent
            assert fewer.to_tokens(rare) == [token if token in frequent else "<unk>" for token in vocab.to_tokens(ids)]


def test_folders_links_and_what_is_left_out(tmp_path):
    (tmp_path / "shelf" / "sub").mkdir(parents=True)
    for name in ("b.txt", "a.txt", "sub/c.txt", ".secret"):
        (tmp_path / "shelf" / name).write_text(name, encoding="utf-8")
    (tmp_path / "shelf" / "picture").write_bytes(b"GIF89a\0\0")
    try:
        (tmp_path / "shelf" / "again.txt").symlink_to(tmp_path / "shelf" / "a.txt")
        (tmp_path / "shelf" / "round").symlink_to(tmp_path / "shelf", target_is_directory=True)
        links = ["again.txt", "round"]
    except OSError:  # Windows without the right to make links
        links = []
    files, left_out = find_texts(tmp_path / "shelf")
    assert [file.name for file in files] == ["a.txt", "b.txt", "c.txt"]
    assert [path.name for path, why in left_out if why == "a symbolic link"] == links
    assert {path.name: why for path, why in left_out if path.name not in links} == {".secret": "hidden", "picture": "binary"}
    if links:  # a link that is named is followed
        assert "".join(TextFiles(find_texts(tmp_path / "shelf" / "again.txt")[0])) == "a.txt"


def test_a_file_that_is_given_twice_in_two_ways_is_read_once(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("text")
    monkeypatch.chdir(tmp_path)
    read, left_out = find_texts([tmp_path / "a.txt", "a.txt"])
    assert read == [tmp_path / "a.txt"] and left_out == [(Path("a.txt"), "given already")]


def test_a_file_that_must_not_be_read_is_named(tmp_path, monkeypatch):
    (tmp_path / "locked.txt").write_text("text")

    def refused(path, *args, **options):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.open", refused)
    with pytest.raises(ValueError, match=r"locked.txt could not be read \(Permission denied\)"):
        find_texts(tmp_path / "locked.txt")
    monkeypatch.undo()
    monkeypatch.setattr("builtins.open", refused)
    with pytest.raises(ValueError, match=r"locked.txt could not be read \(Permission denied\)"):
        list(read_pieces(tmp_path / "locked.txt"))


@pytest.mark.parametrize("data, said", [
    ("春眠".encode("gb18030"), "b.txt is not UTF-8: byte 0 is 0xb4"),
    (codecs.BOM_UTF16_LE + "time".encode("utf-16-le"), "b.txt is not UTF-8: byte 0 is 0xff; it seems to be text in UTF-16"),
    ("it’s late".encode("cp1252"), "b.txt is not UTF-8: byte 2 is 0x92; it seems to be text in windows-1252"),
    ("他不是我们的人".encode("gb18030"), "b.txt is not UTF-8: byte 0 is 0xcb; it seems to be text in GB18030"),
    (gzip.compress(b"time"), "b.txt is not UTF-8: byte 1 is 0x8b; it seems to be a gzip archive"),
    ("时间".encode("utf-8") * 100_000 + b"\xe6\x97", "b.txt is not UTF-8: byte 600000 is 0xe6"),
])
def test_mixed_encodings_name_the_file_and_the_byte(tmp_path, data, said):
    (tmp_path / "a.txt").write_text("时间", encoding="utf-8")
    (tmp_path / "b.txt").write_bytes(data)
    with pytest.raises(ValueError, match=said):
        load_corpus_files([tmp_path / "a.txt", tmp_path / "b.txt"])


@pytest.mark.parametrize("data, seems", [("it is\n".encode("utf-16-le"), "text in UTF-16LE"), ("it is\n".encode("utf-16-be"), "text in UTF-16BE")])
def test_utf16_without_a_mark_is_refused_when_it_is_named(tmp_path, data, seems):
    (tmp_path / "named.txt").write_bytes(data)  # valid UTF-8, letter by letter with zeros in between
    with pytest.raises(ValueError, match=f"named.txt is no text: byte [01] is zero; it seems to be {seems}"):
        load_corpus_files(tmp_path / "named.txt")


def test_a_text_that_changes_while_it_is_read(tmp_path):
    file = tmp_path / "growing.txt"
    file.write_text("a long text")

    class Shrinking(TextFiles):
        def __iter__(self):
            yield from super().__iter__()
            file.write_text("a text")

    with pytest.raises(ValueError, match="the text changed while it was read"):
        number_tokens(Shrinking([file]))


@pytest.mark.parametrize("token", ["char", "word"])
def test_a_text_that_is_replaced_by_one_of_the_same_length(tmp_path, token):
    file = tmp_path / "replaced.txt"
    file.write_text("a long text")

    class Replaced(TextFiles):
        def __iter__(self):
            yield from super().__iter__()
            file.write_text("gnol a text")

    with pytest.raises(ValueError, match="the text changed while it was read"):
        number_tokens(Replaced([file], token))
    file.write_text("a long text")
    with pytest.raises(ValueError, match="the text changed while it was read"):  # in what is not used, too
        number_tokens(Replaced([file], token), max_tokens=1)


def test_the_vocabulary_of_a_part(tmp_path):
    (tmp_path / "text").write_text("abba" * 9 + "zz")
    for token, pieces in (("char", TextFiles([tmp_path / "text"])), ("list", [list("abba") * 9, ["z", "z"]])):
        ids, vocab = number_tokens(pieces, vocab_tokens=36)
        assert vocab.idx_to_token == ["<unk>", "a", "b"] and ids.tolist() == [1, 2, 2, 1] * 9 + [0, 0], token
        assert number_tokens(pieces, vocab_tokens=37)[1].idx_to_token == ["<unk>", "a", "b", "z"]


def test_no_file_is_left_even_while_the_indices_are_in_use(tmp_path, monkeypatch):
    (tmp_path / "text").write_text("the moon wheel " * 1000)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    ids, vocab = load_corpus_files(tmp_path / "text")
    assert "".join(vocab.to_tokens(ids[-15:])) == "the moon wheel " and len(ids) == 15_000
    if os.name != "nt":  # there it has a name until it is closed, by whatever end
        assert list(temporary.iterdir()) == []


MEASURE = """
import random, resource, sys
from rnn_scratch.corpus import load_corpus_files
from rnn_scratch.text import load_data_text

def use(path):
    data = load_corpus_files(path)
    for use_random_iter in (False, True):
        for X, Y in load_data_text(data, 32, 35, use_random_iter)[0]:
            if use_random_iter:
                break
    return data

unit = 1 if sys.platform == 'darwin' else 1024
use(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
ids, vocab = use(sys.argv[2])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - before, ids.nbytes, len(ids))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no module resource")
@pytest.mark.parametrize("letter", ["ж", "字"])
def test_memory_grows_with_the_indices_only(tmp_path, letter):
    """20 MB: to hold the text, or a list of it, would take 80 to 600 MB."""
    alphabet = "".join(chr(ord(letter) + i) for i in range(20 if letter == "ж" else 3000))
    sizes = {}
    for name, size in (("small", 100_000), ("large", 20_000_000)):
        text = "".join(alphabet[i:] + alphabet[:i] for i in range(0, len(alphabet), 1 + len(alphabet) // 20))
        with open(tmp_path / name, "w", encoding="utf-8") as file:
            for _ in range(max(1, size // len(text.encode("utf-8")))):
                file.write(text)
        sizes[name] = (tmp_path / name).stat().st_size
    assert sizes["large"] > 19_000_000
    done = subprocess.run([sys.executable, "-c", MEASURE, tmp_path / "small", tmp_path / "large"], capture_output=True, text=True,
                          env={**os.environ, "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"})
    assert done.returncode == 0, done.stderr
    growth, nbytes, length = map(int, done.stdout.split())
    assert nbytes == length * (1 if letter == "ж" else 2)
    assert growth < nbytes + 8 * length / 35 + 16 * 2**20, f"{growth / 2**20:.0f} MiB for {nbytes / 2**20:.0f} MiB of indices"


NUM_HIDDENS = 9  # unlike any B or T*B here: (H, V) is the output weights, compared when they are checked for NaN


class OneHots(TorchDispatchMode):
    """Collects every operation whose result looks one-hot: V wide, and of integers or of three dimensions."""

    def __init__(self, vocab_size):
        super().__init__()
        self.vocab_size, self.found, self.wide = vocab_size, [], 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, torch.Tensor) and tensor.dim() >= 2 and tensor.shape[-1] == self.vocab_size:
                self.wide += 1  # logits, and the weights of the output side
                if tensor.dim() == 3 or not tensor.is_floating_point() and len(tensor) != NUM_HIDDENS:
                    self.found.append((str(func), tuple(tensor.shape)))
        return result


@pytest.mark.parametrize("model, one_hot", [("fast", False), ("plain", True)])
def test_five_thousand_characters_train_without_one_hot_matrices(tmp_path, model, one_hot):
    (tmp_path / "text").write_text("".join(chr(0x4E00 + i) for i in range(5000)), encoding="utf-8")
    with pytest.raises(SystemExit) as end, OneHots(4001) as seen:
        rnn_scratch_train(["--text", str(tmp_path / "text"), "--model", model, "--num-hiddens", str(NUM_HIDDENS), "--batch-size", "4",
                           "--num-steps", "5", "--val-fraction", "0.2", "--epochs", "1", "--device", "cpu",
                           "--out", str(tmp_path / "wide")])
    assert end.value.code == 0 and seen.wide > 100
    assert bool(seen.found) == one_hot, seen.found[:3]  # the plain model makes them: they would be seen


def test_the_log_is_read_line_by_line_while_it_grows(tmp_path, monkeypatch):
    log, counts = tmp_path / "log", []
    import rnn_scratch.cli as cli

    real_epochs = cli.train_epochs

    def watched(*args, **options):
        for numbers in real_epochs(*args, **options):
            counts.append(len([json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]))
            yield numbers

    monkeypatch.setattr(cli, "train_epochs", watched)
    with pytest.raises(SystemExit):
        rnn_scratch_train(["--corpus", "en", "--num-hiddens", "8", "--max-tokens", "2000", "--epochs", "4", "--device", "cpu",
                           "--out", str(tmp_path / "run"), "--log", str(log)])
    assert counts == [1, 2, 3, 4]
