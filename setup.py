"""Packaging: everything comes from settings.ini; this file only hands it over."""
from configparser import ConfigParser
from pathlib import Path

from setuptools import setup

config = ConfigParser()
config.read(Path(__file__).with_name("settings.ini"), encoding="utf-8")
cfg = config["DEFAULT"]

setup(
    name=cfg["lib_name"],
    version=cfg["version"],
    description=cfg["description"],
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author=cfg["author"],
    author_email=cfg["author_email"],
    url=cfg["git_url"],
    project_urls={"Documentation": cfg["doc_host"] + cfg["doc_baseurl"]},
    license="Apache-2.0",
    license_files=["LICENSE"],
    keywords=cfg["keywords"].split(),
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Education",
        "Natural Language :: Chinese (Simplified)",
        "Natural Language :: English",
    ]
    + [f"Programming Language :: Python :: 3.{minor}" for minor in range(10, 15)],
    python_requires=f">={cfg['min_python']}",
    install_requires=cfg["requirements"].split(),
    extras_require={"dev": cfg["dev_requirements"].split()},
    entry_points={
        "console_scripts": cfg["console_scripts"].split(),
        "nbdev": [f"{cfg['lib_path']}={cfg['lib_path']}._modidx:d"],
    },
    packages=[cfg["lib_path"]],
    package_data={cfg["lib_path"]: ["data/*.txt", "data/*.otf"]},
    zip_safe=False,
)
