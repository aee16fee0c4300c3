// The description of the API, drawn by Swagger UI, whose script stands before this one.
const place = document.getElementById("api-docs");

window.SwaggerUIBundle({
  url: place.dataset.url,
  domNode: place,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: -1,
  persistAuthorization: false,
  displayRequestDuration: true,
  validatorUrl: null,
});
