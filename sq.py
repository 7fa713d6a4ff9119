import sys; sys.argv=['x']; __name__='y'; exec(open('/tmp/figb/t2.py').read())
def squeeze(svg):
    svg=re.sub(r'<!-- .*? -->\s*','',svg, flags=re.S)
    svg=re.sub(r'\n\s*','\n',svg)
    names={}
    svg=re.sub(r'(id="|href="#)([A-Za-z]+(?:-[A-Za-z]+)*-[0-9a-f]+)"', lambda m: m[1]+names.setdefault(m[2], f'g{len(names):x}')+'"', svg)
    svg=re.sub(r'(\d+\.\d\d\d)\d+', r'\1', svg)
    return svg
for k in 'acdm':
    s=fns[k]('both').svg; q=squeeze(s); print(k,len(s),len(q), len(re.findall('<path id=',s)), sum(len(x) for x in re.findall(r'<path id=.*?/>',q,flags=re.S)), sum(len(x) for x in re.findall(r'<use .*?/>',q,flags=re.S)))
