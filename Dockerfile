# The reading room in a container. Build it from a checkout:
#
#   docker build --tag radzoo .
#   docker run --rm --publish 127.0.0.1:8050:8050 \
#     --volume "$PWD/runs:/runs:ro" --volume radzoo-home:/home/radzoo/room \
#     radzoo serve --run /runs/NAME/... --home /home/radzoo/room --host 0.0.0.0
#
# The link that makes the first account is printed; later ones by
#   docker exec CONTAINER radzoo users add NAME --home /home/radzoo/room
# For other machines, put a proxy with TLS in front and add --https: docs/webapp.md.
FROM docker.io/library/python:3.11-slim-bookworm

COPY . /src
RUN pip install --no-cache-dir --constraint /src/constraints.txt '/src[tensorflow,dicom,webapp]' \
    && rm -rf /src \
    && useradd --create-home radzoo

USER radzoo
WORKDIR /home/radzoo
RUN mkdir --mode 700 room
VOLUME /home/radzoo/room
EXPOSE 8050
ENTRYPOINT ["radzoo"]
CMD ["--help"]
