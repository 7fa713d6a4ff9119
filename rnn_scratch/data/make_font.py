"""Make figures.otf, the Chinese of the figures: a subset of Noto Sans CJK SC Regular.

    python rnn_scratch/data/make_font.py [NotoSansCJK-Regular.ttc]

It has what the notebooks and the packaged texts contain, in prose, code or labels. Run it again when
tests/test_figures.py names a character that is missing. The font is Debian's, of the package fonts-noto-cjk;
fontTools comes with matplotlib. The licence, OFL 1.1, stands in OFL.txt beside this file."""
import json
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTCollection

HERE = Path(__file__).parent
FAMILY, POSTSCRIPT = 'Figures Sans SC', 'NotoSubsetCJK-Regular'  # the whole font may be installed beside it


def characters():
    "What has to be drawn: everything that stands in a notebook or in a packaged text, and ASCII."
    found = set(map(chr, range(32, 127)))
    for notebook in (HERE.parents[1]/'nbs').rglob('[!.]*.ipynb'):
        cells = json.loads(notebook.read_text(encoding='utf-8'))['cells']
        found.update(*(''.join(cell['source']) for cell in cells))
    for text in HERE.glob('??.txt'):
        found.update(text.read_text(encoding='utf-8'))
    return {c for c in found if c.isprintable()}


def make(source):
    "The subset as a font, with the same bytes each time."
    fonts = TTCollection(source).fonts
    font = next(f for f in fonts if f['name'].getDebugName(6) == 'NotoSansCJKsc-Regular')
    font.recalcTimestamp = False
    options = subset.Options(layout_features=['kern', 'liga', 'ccmp'], hinting=False, name_IDs=[0, 1, 2, 4, 6, 13],
                             retain_gids=True)  # an SVG names glyphs by number: its bytes stay when a character is added
    options.drop_tables += ['vhea', 'vmtx', 'VORG', 'BASE']
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=set(map(ord, characters())) & font.getBestCmap().keys())
    subsetter.subset(font)
    for record in font['name'].names:
        if record.nameID in (1, 4, 6):
            record.string = POSTSCRIPT if record.nameID == 6 else FAMILY
    top = font['CFF '].cff
    top.fontNames = [POSTSCRIPT]
    top.topDictIndex[0].FullName = top.topDictIndex[0].FamilyName = FAMILY
    return font


if __name__ == '__main__':
    source = sys.argv[1] if sys.argv[1:] else '/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc'
    make(source).save(HERE/'figures.otf')
    print(f"figures.otf: {(HERE/'figures.otf').stat().st_size:,} bytes, {len(characters()):,} characters")
