"""One jointed figure: skeleton, contacts, camera, shapes and props as small SVG. Pure; lengths in cm, angles in degrees."""
