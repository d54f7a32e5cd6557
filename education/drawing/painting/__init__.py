"""From a posed body to SVG: camera, outlines, head, muscles, colors and props."""
