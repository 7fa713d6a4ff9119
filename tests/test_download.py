"""Downloads that go wrong, from a server on this machine: only a network shows what `time_machine_file` does then."""
import hashlib
import threading
import time
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pooch
import pytest

from rnn_scratch import text

BODY = b"The Time Machine, by H. G. Wells [1898]\n" * 1000


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if self.path == "/busy" else 200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        half = BODY[: len(BODY) // 2]
        if self.path == "/whole":
            self.wfile.write(BODY)
        elif self.path == "/altered":
            self.wfile.write(BODY[:-1] + b"!")
        elif self.path == "/short":
            self.wfile.write(half)
        elif self.path == "/stalls":
            self.wfile.write(half)
            self.wfile.flush()
            time.sleep(3)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder, no RNN_SCRATCH_DATA, and the hash of BODY for the one expected."""
    monkeypatch.delenv("RNN_SCRATCH_DATA", raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path)
    monkeypatch.setattr(text, "TIME_MACHINE_SHA1", hashlib.sha1(BODY).hexdigest())
    return tmp_path


def test_a_whole_file_is_kept_and_not_fetched_again(server, cache):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = text.time_machine_file(url=f"{server}/whole")
        assert path.read_bytes() == BODY and path.parent == cache
        assert text.time_machine_file(url=f"{server}/busy") == path  # from the cache: the server would refuse


@pytest.mark.parametrize("fault", ["altered", "short", "stalls", "busy"])
def test_a_bad_download_leaves_nothing_and_names_the_ways_out(server, cache, fault):
    url = f"{server}/{fault}"
    with pytest.warns(UserWarning, match="set RNN_SCRATCH_DATA to its absolute path"):
        assert text.time_machine_file(url=url, timeout=1) == text.shipped_text("en")
    with pytest.raises(OSError, match="could not be had"):
        text.time_machine_file(strict=True, url=url, timeout=1)
    assert list(cache.iterdir()) == []


def test_the_time_out_reaches_the_downloader(server, cache, monkeypatch):
    seen, made = [], pooch.HTTPDownloader
    monkeypatch.setattr(pooch, "HTTPDownloader", lambda **options: seen.append(options["timeout"]) or made(**options))
    text.time_machine_file(url=f"{server}/whole", timeout=7)
    assert seen == [7]


def test_a_spoilt_cache_is_fetched_again(server, cache):
    (cache / "timemachine.txt").write_bytes(BODY[:100])
    assert text.time_machine_file(url=f"{server}/whole").read_bytes() == BODY


@pytest.mark.parametrize("read", [text.read_time_machine, text.load_corpus_time_machine,
                                  lambda strict: text.load_data_time_machine(2, 5, strict=strict)])
def test_strict_reaches_the_file_from_every_function(server, cache, monkeypatch, read):
    monkeypatch.setattr(text.time_machine_file, "__defaults__", (False, f"{server}/busy", 1))
    with pytest.raises(OSError, match="could not be had"):
        read(strict=True)
    with pytest.warns(UserWarning, match="using the shipped English text"):
        read(strict=False)
